"""Prints what changes: the target for those who first want to see."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Literal, TextIO

from pydantic import Field

from tigertag.errors import ItemError, Unread
from tigertag.model import Change, Finding, Item, Memory, Shown, Target, Written, fold
from tigertag.options import CommaList, TargetOptions


class ConsoleOptions(TargetOptions):
    """Options of the console target."""

    format: Literal["table", "json"] = Field("table", description="A line of text for each photo, or of JSON.")
    sources: CommaList = Field((), description="Kinds of sources it prints, such as folder. All by default.")


class ConsoleTarget(Target):
    """One line on standard output for each photo that changes.

    What it has printed it remembers, so that it has something to show when it is read, and `undo` something to
    take back.
    """

    Options = ConsoleOptions

    def __init__(self, options: ConsoleOptions, memory: Memory, stream: TextIO | None = None) -> None:
        self._options = options
        self._memory = memory
        self._stream = stream
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        return "console"

    @property
    def label(self) -> str:
        return "console"

    def accepts(self, item: Item) -> bool:
        return not self._options.sources or item.source.partition(":")[0] in self._options.sources

    def read(self, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        """What was printed so far, additions less removals."""
        for item in items:
            yield Shown(item, self._tags(item))

    def write(self, changes: Sequence[Change]) -> Iterable[Written | ItemError]:
        """Prints, then remembers: what was not printed is printed by the next run.

        Raises Unread where nobody reads.
        """
        for change in changes:
            with self._lock:
                before = self._tags(change.item)
                after = applied(before, change)
                try:
                    self._print(change.item, before, after)
                except (OSError, ValueError) as error:  # a pipe that nobody reads, a stream that was closed
                    why = error.strerror if isinstance(error, OSError) else error
                    raise Unread(
                        f"nothing more can be printed ({why}); the rest is printed by the next run"
                    ) from error
                self._remember(change.item, after)
            yield Written(change.item, after)

    def _tags(self, item: Item) -> tuple[str, ...]:
        kept = self._memory.get(memory_key(item))
        return tuple(str(tag) for tag in kept) if isinstance(kept, list | tuple) else ()

    def _remember(self, item: Item, tags: tuple[str, ...]) -> None:
        if tags:
            self._memory.set(memory_key(item), list(tags))
        else:
            self._memory.delete(memory_key(item))

    def _print(self, item: Item, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        added = [tag for tag in after if tag not in before]
        removed = [tag for tag in before if tag not in after]
        if not added and not removed:
            return
        line = json_line if self._options.format == "json" else text_line
        stream = self._stream or sys.stdout
        # Under LANG=C a name may hold what the terminal cannot show.
        code = getattr(stream, "encoding", None) or "utf-8"
        text = line(item, added, removed, after).encode(code, "backslashreplace").decode(code)
        stream.write(text + "\n")
        stream.flush()

    def check(self) -> Iterable[Finding]:
        yield Finding(True, "console prints changes on standard output")

    def close(self) -> None:
        """The stream is not ours to close."""


def memory_key(item: Item) -> str:
    """Keys of items may be of any length; those of a memory should not."""
    return hashlib.sha256(f"{item.source}\0{item.key}".encode("utf-8", "backslashreplace")).hexdigest()


def applied(shown: Sequence[str], change: Change) -> tuple[str, ...]:
    """The tags after a change; one that is there in another case keeps its spelling."""
    away = {fold(tag) for tag in change.remove}
    there = {fold(tag): tag for tag in shown if fold(tag) not in away}
    for tag in change.add:
        there.setdefault(fold(tag), tag)
    return tuple(there.values())


def text_line(item: Item, added: Sequence[str], removed: Sequence[str], tags: Sequence[str]) -> str:
    """`Summer/IMG_1.jpg  beach, dog, -cat`."""
    words = [*added, *(f"-{tag}" for tag in removed)]
    return f"{escaped(item.path)}  {', '.join(escaped(word) for word in words)}"


def json_line(item: Item, added: Sequence[str], removed: Sequence[str], tags: Sequence[str]) -> str:
    """One object; `tags` are all that hang on the photo now."""
    shown = {
        "type": "tags",
        "source": item.source,
        "key": item.key,
        "path": item.path,
        "add": list(added),
        "remove": list(removed),
        "tags": list(tags),
    }
    return json.dumps(shown)


def escaped(name: str) -> str:
    """A name that cannot steer the terminal: what cannot be seen is shown as its escape."""
    return "".join(
        sign if sign.isprintable() or sign == "\u200d" else sign.encode("unicode_escape").decode()
        for sign in name
    )
