"""Answers that came in while the database was away: kept in a file beside it, taken up by the next run.

What was paid for must not be lost with a connection (RELIABILITY D2, D5). A line is one answer and names photo
and revision by what they are, not by row ids, so that it fits a restored database too. A line that a kill cut
short is left out: its request stays *maybe billed*.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from tigertag.errors import DiskError, PhotoError, TransientError
from tigertag.model import JSON, Analysis, Annotation, Box, Kind
from tigertag.pipeline.lane import Answered
from tigertag.pipeline.vet import storable, vetted
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.store import answers, incoming, ledger, photos, revisions, sends

log = logging.getLogger(__name__)

_ROOM = 2 << 20
"""Bytes: more than what all requests that can be under way bring."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What came of a photo with an engine, without a database."""

    content_id: str
    width: int
    height: int
    revision_id: int
    fingerprint: str
    """Of the revision's settings: an id alone could mean another one in a restored database."""
    input: str
    annotations: tuple[Annotation, ...]
    raw: str
    dropped: int
    reason: str = ""
    """Why there is no answer that could be used; empty where there is one."""

    def as_line(self) -> str:
        value: dict[str, JSON] = {
            "content_id": self.content_id,
            "size": [self.width, self.height],
            "revision": self.revision_id,
            "fingerprint": self.fingerprint,
            "input": self.input,
            "annotations": [_flat(each) for each in self.annotations],
            "raw": self.raw,
            "dropped": self.dropped,
            "reason": self.reason,
        }
        return json.dumps(value) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Spooled:
        """Raises ValueError, LookupError or TypeError where the line is not whole."""
        value = json.loads(line)
        return cls(
            content_id=value["content_id"],
            width=value["size"][0],
            height=value["size"][1],
            revision_id=value["revision"],
            fingerprint=value["fingerprint"],
            input=value["input"],
            annotations=tuple(_annotation(*each) for each in value["annotations"]),
            raw=value["raw"],
            dropped=value["dropped"],
            reason=value.get("reason", ""),
        )


def _flat(each: Annotation) -> JSON:
    box = each.box
    corners: JSON = [box.x, box.y, box.width, box.height] if box else None
    return [each.kind.value, each.name, each.confidence, corners, each.language, each.value]


def _annotation(
    kind: str, name: str, confidence: float, box: list[float] | None, language: str, value: JSON
) -> Annotation:
    return Annotation(Kind(kind), name, confidence, Box(*box) if box else None, language, value)


@contextmanager
def room(path: Path) -> Iterator[None]:
    """Holds room on the disk for the time of its block, so that a full disk costs no answer that was paid for.

    Raises DiskError where there is none: before anything is billed (D5, K3).
    """
    held = _held(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(held, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(os.urandom(_ROOM))  # zeros take no room where a file system compresses
    except OSError as error:
        with suppress(OSError):
            held.unlink(missing_ok=True)
        raise DiskError(
            f"There is no room for answers in {path.parent} ({error.strerror}). Nothing was asked: make room "
            "and check the folder's permissions."
        ) from error
    try:
        yield
    finally:
        held.unlink(missing_ok=True)


def _held(path: Path) -> Path:
    return path.with_name(f"{path.name}.room")


def answers_of(event: Answered) -> Iterator[Spooled]:
    """What an engine brought, to be kept without a database: refusals too, lest it be asked again (E7, E9)."""
    for ask, outcome in event.outcomes:
        if isinstance(outcome, TransientError):
            continue
        refusal = storable(str(outcome)) if isinstance(outcome, PhotoError) else ""
        answer = vetted(Analysis(ask.photo, raw=outcome.raw) if isinstance(outcome, PhotoError) else outcome)
        yield Spooled(
            ask.photo.content_id,
            ask.photo.width,
            ask.photo.height,
            ask.key[1],
            event.lane.open.fingerprint,
            ask.key[2],
            answer.annotations,
            answer.raw,
            answer.dropped,
            refusal,
        )


def put(path: Path, rows: Iterable[Spooled]) -> None:
    """Appends the answers and sees them on the disk. Raises DiskError where they do not fit there either."""
    lines = "".join(row.as_line() for row in rows)
    if not lines:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _held(path).unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DiskError(
            f"Answers that were paid for could not be kept in {path} ({error.strerror}); they are lost. "
            "Make room and check the folder's permissions."
        ) from error
    log.warning("The database is away; %d answers are kept in %s for the next run", lines.count("\n"), path)


def take_up(work: Work, targets: Sequence[OpenTarget], tally: Tally) -> int:
    """Stores what an earlier run had to spool, then removes the file; how many answers there were.

    Photos that failed are named in `tally`: that run could not.
    """
    with suppress(OSError):  # what a run that was killed has left; where it cannot go, `room` says so
        _held(work.spool).unlink(missing_ok=True)
    if not work.spool.is_file():
        return 0
    rows = _read(work.spool)
    for row in rows:
        for path in work.database.transact(_Storing(work, targets, row)):
            tally.fail(path, row.reason)
    work.spool.unlink()
    if rows:
        log.warning("Took up %d answers that an earlier run kept in %s", len(rows), work.spool)
    return len(rows)


def _read(path: Path) -> list[Spooled]:
    rows = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                rows.append(Spooled.of_line(line))
            except (ValueError, LookupError, TypeError):
                log.warning("A line of %s is not whole and was left out", path)
    return rows


@dataclass(frozen=True, slots=True)
class _Storing:
    """Stores one spooled answer in a transaction, where its photo still waits for it."""

    work: Work
    targets: Sequence[OpenTarget]
    row: Spooled

    def __call__(self, session: Session) -> Sequence[str]:
        """The photo's path where it failed, and none had been told of it."""
        row, now = self.row, self.work.now()
        if not revisions.has(session, row.revision_id, row.fingerprint):
            log.warning("An answer in %s belongs to settings that this database does not know", self.work.spool)
            return ()
        sizes = {row.content_id: (row.width, row.height)}
        photo_id = photos.keep(session, sizes, now)[row.content_id]
        key = (photo_id, row.revision_id, row.input)
        if incoming.enlist(session, [key], now)[key] not in answers.WAITING:
            return ()
        found = photos.items_of(session, [(photo_id, row.input)])
        if row.reason:
            failed = {key: incoming.Failed(row.reason, row.raw)}
            is_news = incoming.keep_failures(session, failed, run_id=self.work.run_id, now=now)
            return [item.path for item in found.values()][:1] if is_news else ()
        said = incoming.Said(row.annotations, row.raw, row.dropped)
        incoming.keep_answers(session, {key: said}, {}, run_id=self.work.run_id, now=now)
        sends.settle_unknown(session, photo_id, row.revision_id)
        for target in self.targets:
            accepted = [row_id for row_id, item in found.items() if target.target.accepts(item)]
            ledger.mark_pending(session, target.row_id, accepted, now)
        return ()
