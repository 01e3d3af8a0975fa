"""What a scan writes down: one transaction for all that came in since the last one.

Decides nothing about what happens next; what the coordinator must know of it is in `Kept`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from tigertag.errors import MissingDecoder, PhotoError, TransientError
from tigertag.media import OpenPhoto
from tigertag.model import Analysis, Item, Outcome
from tigertag.pipeline.choose import may_see
from tigertag.pipeline.due import DueItem
from tigertag.pipeline.fetch import Fetched
from tigertag.pipeline.lane import Answered, Key
from tigertag.pipeline.vet import storable, vetted
from tigertag.pipeline.work import OpenEngine, OpenTarget, Tally, Work
from tigertag.store import answers, incoming, ledger, photos, sends

_MOST_TAGS = 50_000  # Remembered at most; a vocabulary is smaller.


@dataclass(frozen=True, slots=True)
class Opened:
    """An item that was opened, or could not be."""

    due: DueItem
    item: Item
    event: Fetched


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in since the last transaction."""

    permits: Sequence[Key] = ()
    opened: Sequence[Opened] = ()
    answered: Sequence[Answered] = ()
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    """Of requests, by the id of their `send` row."""
    now: datetime | None = None
    """When the permits were given: budgets count them by it."""

    @property
    def is_empty(self) -> bool:
        return not (self.permits or self.opened or self.answered or self.outcomes)


@dataclass(frozen=True, slots=True)
class KeptItem:
    """What the transaction decided about one opened item: the answers to ask for, by engine."""

    asks: tuple[tuple[str, Key], ...] = ()
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a transaction left, each in the order of its part of the batch."""

    send_ids: Sequence[int]
    items: Sequence[KeptItem]
    tallies: Sequence[Tally]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How batches are written down in a run."""

    work: Work
    engines: Sequence[OpenEngine]
    targets: Sequence[OpenTarget]
    tag_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    """Rows of tags by kind and name, as far as they are committed."""

    def keep(self, batch: Batch) -> Kept:
        """Commits the batch as a whole, or not at all."""
        if batch.is_empty:
            return Kept((), (), ())
        kept, learnt = self.work.database.transact(lambda session: _Attempt(self, session).keep(batch))
        if len(self.tag_ids) > _MOST_TAGS:
            self.tag_ids.clear()
        self.tag_ids.update(learnt)  # not before: an id that was rolled back may become another tag's
        return kept


class _Attempt:
    """One try at writing a batch down. Each statement is for all of the batch that it concerns."""

    def __init__(self, keeping: Keeping, session: Session) -> None:
        self.keeping, self.session = keeping, session
        self.now, self.run_id = keeping.work.now(), keeping.work.run_id
        self.touched: dict[int, Item] = {}  # to be brought in line, by row id

    def keep(self, batch: Batch) -> tuple[Kept, incoming.TagIds]:
        """What was decided, and the ids of tags that were not known before."""
        sends.settle(self.session, batch.outcomes)
        asked = [(photo, revision) for photo, revision, _ in batch.permits]
        ids = sends.add(self.session, asked, self.run_id, batch.now or self.now)
        kept = self._opened(batch.opened)
        tallies, learnt = self._answered(batch.answered)
        for target in self.keeping.targets:
            accepted = [row_id for row_id, item in self.touched.items() if target.target.accepts(item)]
            ledger.mark_pending(self.session, target.row_id, sorted(accepted), self.now)
        return Kept(ids, kept, tallies), learnt

    # ── opened items ──────────────────────────────────────────────────────────────────────────────────────

    def _opened(self, opened: Sequence[Opened]) -> list[KeptItem]:
        asks = self._photos(opened)
        news = self._unread(opened)
        return [
            KeptItem(asks.get(each.event.row_id, ()), _tally(each, is_new=each.event.row_id in news))
            for each in opened
        ]

    def _photos(self, opened: Sequence[Opened]) -> dict[int, tuple[tuple[str, Key], ...]]:
        """Stores the photos that were found. The answers that each item waits for, by row id."""
        found = {each.event.row_id: (each, each.event.photo) for each in opened if each.event.photo}
        sizes = {photo.content_id: (photo.width, photo.height) for _, photo in found.values()}
        ids = photos.keep(self.session, sizes, self.now)
        reads = [
            photos.Read(row_id, each.item.stamp, ids[photo.content_id], photo.input, photo.file_hash)
            for row_id, (each, photo) in found.items()
        ]
        for row_id in photos.set_read(self.session, reads, self.now):
            self.touched[row_id] = found[row_id][0].item
        keys = {
            row_id: [
                (engine.name, (ids[photo.content_id], engine.revision_id, _input(engine, photo)))
                for engine in self.keeping.engines
                if may_see(engine, each.due.due.path)
            ]
            for row_id, (each, photo) in found.items()
        }
        states = incoming.enlist(self.session, (key for some in keys.values() for _, key in some), self.now)
        return {
            row_id: tuple((name, key) for name, key in some if states[key] in answers.WAITING)
            for row_id, some in keys.items()
        }

    def _unread(self, opened: Sequence[Opened]) -> set[int]:
        """Stores why items could not be read. Those of which that was not known."""
        needs: dict[int, tuple[str, str]] = {}
        problems: dict[int, tuple[str, str]] = {}
        for each in opened:
            error = each.event.error
            if isinstance(error, MissingDecoder):
                needs[each.event.row_id] = (each.item.stamp, error.extra)
            elif isinstance(error, PhotoError):
                problems[each.event.row_id] = (each.item.stamp, str(error))
        photos.set_needs(self.session, needs)
        return photos.set_problems(self.session, problems)

    # ── answers ───────────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, events: Sequence[Answered]) -> tuple[list[Tally], incoming.TagIds]:
        """Stores what is still waited for: where this run lost its lock, another may have been answered."""
        pairs = [pair for event in events for pair in event.outcomes]
        states = incoming.enlist(self.session, (ask.key for ask, _ in pairs), self.now)
        said: dict[Key, incoming.Said] = {}
        failed: dict[Key, incoming.Failed] = {}
        waiting: dict[Key, str] = {}
        for ask, outcome in pairs:
            if states[ask.key] not in answers.WAITING:
                continue
            if isinstance(outcome, Analysis):
                answer = vetted(outcome)
                said[ask.key] = incoming.Said(answer.annotations, answer.raw, answer.dropped)
            elif isinstance(outcome, PhotoError):
                failed[ask.key] = incoming.Failed(storable(str(outcome)), storable(outcome.raw))
            else:
                waiting[ask.key] = storable(str(outcome))
        learnt = incoming.keep_answers(
            self.session, said, self.keeping.tag_ids, run_id=self.run_id, now=self.now
        )
        news = incoming.keep_failures(self.session, failed, run_id=self.run_id, now=self.now)
        incoming.keep_waiting(self.session, waiting)
        self.touched |= photos.items_of(self.session, {(photo, given) for photo, _, given in said})
        return [_count(event, said, news) for event in events], learnt


def _input(engine: OpenEngine, photo: OpenPhoto) -> str:
    return photo.input if engine.engine.reads == "file" else ""


def _tally(opened: Opened, *, is_new: bool) -> Tally:
    """`is_new`: it was not known that the item cannot be read."""
    tally, error = Tally(), opened.event.error
    if opened.event.photo is not None:
        tally.opened = 1
        if opened.event.trouble and opened.due.due.unread:  # else it was named when it was opened first
            tally.fail(opened.item.path, opened.event.trouble)
    elif isinstance(error, MissingDecoder):
        tally.needs[error.extra] = 1
    elif isinstance(error, TransientError) or (isinstance(error, PhotoError) and is_new):
        tally.fail(opened.item.path, str(error))
    return tally


def _count(event: Answered, said: Mapping[Key, incoming.Said], news: Collection[Key]) -> Tally:
    """What an engine's answers come to; a failure that was known is none."""
    tally, name = Tally(), event.lane.open.name
    for ask, outcome in event.outcomes:
        if isinstance(outcome, Analysis):
            tally.answered[name] = tally.answered.get(name, 0) + 1
            if ask.key in said:
                tally.dropped += said[ask.key].dropped
        elif isinstance(outcome, TransientError) or ask.key in news:
            tally.fail(ask.photo.name, str(outcome))
    return tally
