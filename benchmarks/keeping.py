"""A target that keeps what it shows in a file, so that memory measured beside it is TigerTag's own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tigertag.model import Change, Finding, Item, Memory, Shown, Target, Written, fold
from tigertag.options import TargetOptions


class KeepingOptions(TargetOptions):
    """Where, and as which target."""

    file: Path
    identity: str
    shows: tuple[str, ...] = ()
    """What a photo shows that was never written to."""


class KeepingTarget(Target):
    """Shows on each photo what was written to it."""

    Options = KeepingOptions
    label = "the file"

    def __init__(self, options: KeepingOptions, memory: Memory) -> None:
        self._options = options
        self._file = sqlite3.connect(options.file, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE IF NOT EXISTS shown (key TEXT PRIMARY KEY, tags TEXT) WITHOUT ROWID")

    @property
    def identity(self) -> str:
        return self._options.identity

    def accepts(self, item: Item) -> bool:
        return True

    def read(self, items: Sequence[Item]) -> Iterator[Shown]:
        for item in items:
            yield Shown(item, self._tags(item.key))

    def write(self, changes: Sequence[Change]) -> Iterator[Written]:
        for change in changes:
            away = {fold(name) for name in change.remove}
            there = [name for name in self._tags(change.item.key) if fold(name) not in away]
            known = {fold(name) for name in there}
            there += [name for name in change.add if fold(name) not in known]
            self._file.execute("REPLACE INTO shown VALUES (?, ?)", (change.item.key, json.dumps(there)))
            yield Written(change.item, tuple(there))

    def _tags(self, key: str) -> tuple[str, ...]:
        row = self._file.execute("SELECT tags FROM shown WHERE key = ?", (key,)).fetchone()
        return self._options.shows if row is None else tuple(json.loads(row[0]))

    def check(self) -> Iterable[Finding]:
        yield Finding(True, "it keeps")

    def close(self) -> None:
        self._file.close()
