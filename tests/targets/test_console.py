"""The console: prints each change once, and knows what it has printed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest

from tigertag.contract.stand_ins import FakeMemory
from tigertag.contract.target import KeepingTargetContract, change, shown
from tigertag.errors import Unread
from tigertag.model import Change, Item
from tigertag.targets.console import ConsoleOptions, ConsoleTarget, memory_key


class Screen:
    """What is printed, and the memory that targets share."""

    def __init__(self) -> None:
        self.memory = FakeMemory()
        self.stream = io.StringIO()

    def item(self, name: str, tags: Sequence[str] = ()) -> Item:
        item = Item("folder:1:/pictures", name, f"Summer/{name}.jpg", "1")
        if tags:
            self.memory.set(memory_key(item), list(tags))
        return item

    def tags(self, item: Item) -> Sequence[str]:
        kept = self.memory.get(memory_key(item))
        return [str(tag) for tag in kept] if isinstance(kept, list) else []

    def target(self, **options: object) -> ConsoleTarget:
        return ConsoleTarget(ConsoleOptions.model_validate(options), self.memory, self.stream)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def screen() -> Screen:
    return Screen()


class TestContract(KeepingTargetContract):
    @pytest.fixture
    def wall(self) -> Screen:
        return Screen()


def test_prints_one_line_for_each_photo_that_changes(screen: Screen) -> None:
    target = screen.target()
    change(target, screen.item("a", ["cat"]), add=["beach", "dog"], remove=["cat"])
    change(target, screen.item("b"), add=["sea"])
    assert screen.lines == ["Summer/a.jpg  beach, dog, -cat", "Summer/b.jpg  sea"]


def test_prints_nothing_where_nothing_changes(screen: Screen) -> None:
    change(screen.target(), screen.item("a", ["Dog"]), add=["dog"], remove=["cat"])
    assert screen.lines == []


def test_nothing_is_remembered_of_a_photo_whose_tags_are_all_taken_back(screen: Screen) -> None:
    item, target = screen.item("a"), screen.target()
    change(target, item, add=["dog"])
    change(target, item, remove=["dog"])
    assert (shown(target, item), screen.memory.rows) == ((), {})


def test_prints_json_lines(screen: Screen) -> None:
    change(screen.target(format="json"), screen.item("a", ["cat"]), add=["Müll\n"], remove=["cat"])
    (line,) = (json.loads(line) for line in screen.lines)
    assert (line["type"], line["path"], line["add"], line["remove"]) == (
        "tags",
        "Summer/a.jpg",
        ["Müll\n"],
        ["cat"],
    )


def test_names_cannot_steer_the_terminal(screen: Screen) -> None:
    change(
        screen.target(), screen.item("a"), add=["\x1b[2Jgone", "two\nlines", "\u202ereversed", "[red]markup[/]"]
    )
    assert screen.lines == [r"Summer/a.jpg  \x1b[2Jgone, two\nlines, \u202ereversed, [red]markup[/]"]


def test_a_terminal_that_knows_only_ascii_gets_escapes(screen: Screen) -> None:
    raw = io.BytesIO()
    target = ConsoleTarget(
        ConsoleOptions.model_validate({}), screen.memory, io.TextIOWrapper(raw, encoding="ascii")
    )
    change(target, screen.item("a"), add=["Été"])
    assert raw.getvalue() == rb"Summer/a.jpg  \xc9t\xe9" + b"\n"


def test_takes_only_the_sources_it_is_told(screen: Screen) -> None:
    plex = Item("plex:abc", "1", "Summer/a.jpg", "1")
    target = screen.target(sources="folder")
    assert (target.accepts(screen.item("a")), target.accepts(plex)) == (True, False)
    assert screen.target().accepts(plex)


def test_a_line_nobody_could_read_is_printed_by_the_next_run(screen: Screen) -> None:
    item = screen.item("a")
    closed = io.StringIO()
    closed.close()
    target = ConsoleTarget(ConsoleOptions.model_validate({}), screen.memory, closed)
    with pytest.raises(Unread, match="nothing more can be printed"):
        list(target.write([Change(item, add=("dog",))]))
    change(screen.target(), item, add=["dog"])
    assert screen.lines == ["Summer/a.jpg  dog"]
