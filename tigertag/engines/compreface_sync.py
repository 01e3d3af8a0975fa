"""Brings a service's examples in line with those that are wanted, twice being once.

What is missing is added, then what TigerTag added and nobody wants any more is deleted, if somebody asked for
that; nothing else is touched. An add is noted before it is sent. One without an answer, or a kill, is settled
by listing the subject and comparing the pictures there with the one that was sent. Writes go one at a time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tigertag.engines.compreface_answers import Refused
from tigertag.engines.compreface_book import Book, Intent, Record
from tigertag.engines.compreface_client import Client, Unanswered, give_up
from tigertag.engines.compreface_faces import Example, Unreadable, Wanted
from tigertag.errors import MissingDecoder, PhotoError, TransientError
from tigertag.media import can_decode
from tigertag.model import JSON, Synced, fold

_MOST_FAILURES = 3
"""Examples one after the other that the service fails on before it is taken to be broken."""

_NEEDS = re.compile(r"needs tigertag\[(\w+)\]")

Render = Callable[[Example], bytes]
"""The bytes to send for an example. Raises Unreadable, PhotoError, MissingDecoder."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about the examples."""

    missing: tuple[Example, ...]
    """To be added, unless somebody else's example is the same picture."""
    unwanted: tuple[str, ...]
    """Image ids of ours to be deleted."""
    gone: tuple[str, ...]
    """Image ids of ours that are no longer there, or that a human gave to another person: no longer ours."""
    moved: tuple[str, ...]
    """Image ids of ours that a human gave to another person and that are wanted where they were."""


def plan(wanted: Wanted, records: Mapping[str, Record], remote: Mapping[str, str]) -> Plan:
    """What `wanted` takes, with our `records` and all image ids and subjects that are there."""
    keys = {example.key for example in wanted.examples}
    live = {image_id: record for image_id, record in records.items() if image_id in remote}
    moved = {i for i, record in live.items() if fold(record.subject) != fold(remote[i])}
    have: dict[tuple[str, str], list[str]] = {}
    for image_id in sorted(live.keys() - moved):
        have.setdefault(live[image_id].key, []).append(image_id)
    still = {live[image_id].key for image_id in moved}
    spare = [i for key, ids in have.items() for i in (ids[1:] if key in keys else ids)]
    return Plan(
        missing=tuple(e for e in wanted.examples if e.key not in have and e.key not in still),
        unwanted=tuple(i for i in spare if _may_go(live[i], wanted, keys)),
        gone=tuple(i for i in records if i not in live or (i in moved and live[i].key not in keys)),
        moved=tuple(sorted(i for i in moved if live[i].key in keys)),
    )


def _may_go(record: Record, wanted: Wanted, keys: set[tuple[str, str]]) -> bool:
    if record.key in keys:
        return True  # it is there twice
    return wanted.is_known and record.origin not in wanted.held


def collection(wanted: Wanted, book: Book, failed: frozenset[tuple[str, str]] = frozenset()) -> list[JSON]:
    """(subject, SHA-256) of all examples that are there once a scan has added what it can, all but `failed`."""
    left_out = {e.key for e in wanted.examples if e.key in failed or standing_refusal(book, e)}
    there = {e.key: e.subject for e in wanted.examples if e.key not in left_out}
    for record in book.examples().values():
        there.setdefault(record.key, record.subject)
    return [[subject, sha256] for subject, sha256 in sorted((s, key[1]) for key, s in there.items())]


def standing_refusal(book: Book, example: Example) -> str:
    """Why this example was refused before and would be again; empty where it is worth a try."""
    reason = book.refusal(example)
    missing = _NEEDS.fullmatch(reason)
    return "" if missing and can_decode(missing[1]) else reason


_There = Mapping[str, Sequence[str]]
"""Folded subject → image ids."""


def _by_subject(remote: Mapping[str, str]) -> _There:
    there: dict[str, list[str]] = {}
    for image_id, subject in remote.items():
        there.setdefault(fold(subject), []).append(image_id)
    return there


@dataclass(slots=True)
class _Done:
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failed: list[Example] = field(default_factory=list)


class Sync:
    """One sync of one service. After `run` the failed examples are in `failed`."""

    def __init__(self, client: Client, book: Book, render: Render, *, removes: bool, dry_run: bool) -> None:
        self._client = client
        self._book = book.dry() if dry_run else book
        self._render = render
        self._removes = removes
        self._is_dry = dry_run
        self._done = _Done()
        self._in_a_row = 0

    @property
    def failed(self) -> frozenset[tuple[str, str]]:
        return frozenset(example.key for example in self._done.failed)

    def run(self, wanted: Wanted) -> Synced:
        """Raises ServiceDown, TransientError: what was done until then is remembered."""
        remote = self._client.examples()
        there = _by_subject(remote)
        spelling = {fold(name): name for name in self._client.subjects()}
        for intent in self._book.intents():
            self._take_in(intent, there)
            self._book.settle(intent)
        todo = plan(wanted, self._book.examples(), remote)
        self._done.problems += wanted.problems
        self._tell_moved(todo, remote)
        for image_id in todo.gone:
            self._book.forget(image_id)
        for example in todo.missing:
            self._bring(example, spelling.get(fold(example.subject), example.subject), there)
        self._remove_unwanted(todo, wanted)
        has_changed = (self._done.added or self._done.removed) and not self._is_dry
        self._book.note_remote(self._client.examples() if has_changed else remote)
        done = self._done
        kept = len(wanted.examples) - len(done.added) - len(done.failed)
        return Synced(tuple(done.added), tuple(done.removed), kept, tuple(done.problems), tuple(done.unwanted))

    def _tell_moved(self, todo: Plan, remote: Mapping[str, str]) -> None:
        records = self._book.examples()
        for image_id in todo.moved:
            record = records[image_id]
            self._done.problems.append(
                f"{record.name} was given from {record.subject} to {remote[image_id]} in CompreFace; "
                "it is left there, so name it so among your examples too"
            )

    def _bring(self, example: Example, subject: str, there: _There) -> None:
        reason = standing_refusal(self._book, example)
        if reason:
            self._fail(example, reason)
            return
        try:
            jpeg = self._render(example)
        except (Unreadable, PhotoError, MissingDecoder) as error:
            # What could not be read may be readable later; what was read and is no picture stays none.
            if not isinstance(error, Unreadable):
                self._book.refuse(example, _reason(error, example))
            self._fail(example, _reason(error, example))
            return
        record = Record(example.subject, example.name, example.sha256, hashlib.sha256(jpeg).hexdigest())
        if self._is_there(record, there):
            return
        before = frozenset(self._strangers(record, there))
        if self._is_dry or self._add(example, subject, jpeg, Intent(record, before)):
            self._done.added.append(f"{example.subject}: {example.name}")

    def _is_there(self, record: Record, there: _There) -> bool:
        """Whether somebody else's example of this person is the same picture, as it lies or as we send it."""
        return any(self._digest(i) in (record.file, record.sha256) for i in self._strangers(record, there))

    def _strangers(self, record: Record, there: _There) -> list[str]:
        ours = self._book.examples()
        return [image_id for image_id in there.get(fold(record.subject), ()) if image_id not in ours]

    def _digest(self, image_id: str) -> str:
        """SHA-256 of a stranger's example, empty where the service does not keep pictures."""
        known = self._book.seen(image_id)
        if not known:
            picture = self._client.picture(image_id)
            known = hashlib.sha256(picture).hexdigest() if picture else ""
            if known:
                self._book.see(image_id, known)
        return known

    def _add(self, example: Example, subject: str, jpeg: bytes, intent: Intent) -> bool:
        """Adds one example; how it ended is in the book. Raises ServiceDown, TransientError."""
        self._book.intend(intent)
        patience = self._client.patience()
        unsure = 0
        while True:
            try:
                self._book.add(self._client.add(subject, jpeg), intent.record)
            except Refused as refusal:
                self._book.refuse(example, refusal.why)
                self._fail(example, refusal.why)
                break
            except Unanswered as trouble:
                unsure += trouble.sent
                may_try = patience.again(trouble)
                if trouble.sent and self._take_in(intent, _by_subject(self._client.examples(subject))):
                    unsure -= 1
                    break
                if not may_try:
                    self._give_up(example, trouble)
                    return False
            else:
                break
        # A request that was lost may still take effect; then the intent stays, and the next sync looks again.
        if not unsure:
            self._book.settle(intent)
        self._in_a_row = 0
        return example not in self._done.failed

    def _give_up(self, example: Example, trouble: Unanswered) -> None:
        """The intent stays: the next sync looks whether it was added after all."""
        self._in_a_row += 1
        if not trouble.sent or self._in_a_row >= _MOST_FAILURES:
            give_up(trouble)
        self._fail(example, f"could not be added ({trouble}); the next sync tries again")

    def _take_in(self, intent: Intent, there: _There) -> bool:
        """Whether what `intent` meant to add is there; notes it as ours."""
        new = [i for i in self._strangers(intent.record, there) if i not in intent.before]
        found = [i for i in new if self._digest(i) == intent.record.sha256]
        for image_id in found:
            self._book.add(image_id, intent.record)
        unknown = [i for i in new if not self._digest(i)]
        if unknown and not found:
            # The service keeps no pictures: most likely it is ours, but only what is surely ours is deleted.
            self._book.see(unknown[0], intent.record.sha256)
        return bool(found or unknown)

    def _remove_unwanted(self, todo: Plan, wanted: Wanted) -> None:
        records = self._book.examples()
        # A file that was exchanged for one that was refused: better the old example than none.
        kept = {example.origin for example in self._done.failed}
        keys = {example.key for example in wanted.examples}
        for image_id in todo.unwanted:
            record = records[image_id]
            if record.origin not in kept or record.key in keys:
                self._remove(image_id, record)

    def _remove(self, image_id: str, record: Record) -> None:
        if not self._removes:
            self._done.unwanted.append(f"{record.subject}: {record.name}")
            return
        try:
            if not self._is_dry:
                self._client.remove(image_id)
        except TransientError as error:
            self._done.problems.append(f"{record.name} ({record.subject}) could not be removed ({error})")
            return
        self._book.forget(image_id)
        self._done.removed.append(f"{record.subject}: {record.name}")

    def _fail(self, example: Example, reason: str) -> None:
        self._done.failed.append(example)
        self._done.problems.append(f"{example.name} ({example.subject}): {reason}")


def _reason(error: Exception, example: Example) -> str:
    return str(error).removeprefix(example.name).strip()
