"""Users, runs, faults and kills in any order, against a model of what the owner was promised.

After every edit of the wall: tags of the user survive (I1), and what a write leaves there was never away (I2;
both are seen by the stand-in). After every run: what the user removed or had taken back did not return by
itself (I11), undo left what was there before (I10), tags of one picture are on no other (I13). After a run that
nothing disturbed: the wall shows what is wanted, and all that we hung up is in the ledger. What
RELIABILITY.md calls in doubt is left out.

`TIGERTAG_STATES=200` in the environment tries that many stories, others each time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.house import House, content_id, prefix_of
from tests.stage import drawn, tag
from tigertag.errors import Incomplete, PhotoError, PluginDown, TransientError, Unreachable
from tigertag.model import Annotation, Photo, fold
from tigertag.pipeline.policy import wanted
from tigertag.store import answers, tables
from tigertag.store.database import Database
from tigertag.store.items import FORMER

_STORIES = int(os.environ.get("TIGERTAG_STATES", "0"))

ENGINES = ("seer", "other")
NAMES = ("dog", "cat", "sea", "sun")
PICTURES = (1, 2, 3)
KEYS = ("a", "b", "c")
FAULTS = ("photo", "transient", "down", "start", "quota", "cut", "empty", "lost", "wall down")

keys = st.sampled_from(KEYS)
edits = st.tuples(keys, st.booleans(), st.integers(0, 7))
faults = st.sampled_from([""] * 9 + list(FAULTS))
changes = st.sampled_from(["prefix", "percent", "enabled", "level"])
kills = st.sampled_from([0] * 12 + list(range(8, 56, 4)) + [-1, -2, -3, -4, -5, -6] * 2)
betweens = st.sampled_from(
    [None, None, *((key, adds, number) for key in "ab" for adds in (0, 1) for number in range(4))]
)


def words(picture: int, engine: str, level: int) -> list[Annotation]:
    """What an engine says about a picture: some names, more and less sure, and one of this picture alone."""
    seed = picture * 7 + ENGINES.index(engine) * 3 + level
    said = [tag(name, 40 + 20 * (index % 3)) for index, name in enumerate(NAMES) if seed >> index & 1]
    return [*said, tag(f"only{picture}", 95)]


def canonical(name: str) -> str:
    """The name before its prefix."""
    return fold(name).removeprefix("tti_")


class Library(RuleBasedStateMachine):
    """A house, and what its owner may rely on."""

    template: ClassVar[Path]

    @initialize(tags=st.lists(edits, max_size=3))
    def move_in(self, tags: list[tuple[str, bool, int]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tigertag-states-"))
        path = self.folder / "tigertag.db"
        shutil.copyfile(self.template, path)
        self.house = House(Database.open(f"sqlite:///{path}"), f"sqlite:///{path}")
        self.wall, self.shelf = self.house.stage.wall, self.house.stage.shelf
        self.pictures = {content_id(drawn(number)): number for number in PICTURES}
        self.levels = dict.fromkeys(ENGINES, 0)
        self.given: set[str] = set()
        """Keys that were given to another photo: the stand-in keeps by key what a server keeps by photo."""
        for name in ENGINES:
            self.house.engine(name, billed=name == "seer").default = self._speaker(name)
        self.barred: dict[str, set[str]] = {key: set() for key in KEYS}
        """By key, canonical names that the user removed."""
        self.undone: dict[str, set[str]] = {key: set() for key in KEYS}
        """By key, canonical names that an undo took off."""
        self.removed: dict[str, set[str]] = {key: set() for key in KEYS}
        """By key, canonical names that the user removed at any time: nobody else's absence is a wish."""
        for key, number in (("a", 1), ("b", 2)):
            self.house.photo(key, number=number)
        # Names that engines want too: what is the owner's must be told from what is ours.
        for key, _, number in (("a", True, 0), ("a", True, 2), ("b", True, 4), ("b", True, 7), *tags):
            self._edit(key, True, number)
        self._run(self.house.scan, "", 0)

    def _speaker(self, name: str) -> Callable[[Photo], list[Annotation]]:
        return lambda photo: words(self.pictures[photo.content_id], name, self.levels[name])

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()
            self.house.database.close()
            shutil.rmtree(self.folder)

    # ── the owner ─────────────────────────────────────────────────────────────────────────────────────────

    @rule(many=st.lists(edits, min_size=1, max_size=4))
    def user_edits(self, many: list[tuple[str, bool, int]]) -> None:
        for key, adds, number in many:
            self._edit(key, adds, number)

    def _edit(self, key: str, adds: bool, number: int) -> None:
        if key not in self.shelf.photos:
            return
        if adds:
            name = ("tti_" if number % 2 else "") + NAMES[number // 2]
            self.wall.user_adds(key, name, doubtful=self.house.in_doubt(key, name))
            self.barred[key].discard(canonical(name))
            self.undone[key].discard(canonical(name))
        elif self.wall.of(key):
            name = sorted(self.wall.of(key))[number % len(self.wall.of(key))]
            known = any((each, shown) == (key, name) for each, shown, *_ in self.house.ledger())
            self.removed[key].add(canonical(name))
            self.wall.user_removes(key, name)
            if known and (key, name) not in self._intents():
                self.barred[key].add(canonical(name))

    def _intents(self) -> set[tuple[str, str]]:
        shown = {row.id: row.key for row in self.house.rows(tables.ItemRow)}
        edits = self.house.rows(tables.Edit)
        return {(shown[row.item_id], row.fold) for row in edits if row.state == "intended"}

    @rule(key=keys, picture=st.sampled_from((None, *PICTURES)), keyword=st.sampled_from(["", "x"]), to=keys)
    def user_moves_photos(self, key: str, picture: int | None, keyword: str, to: str) -> None:
        """A new photo, another one, other metadata, the same bytes; or one that moves or goes."""
        if picture is not None:
            self.shelf.put(key, drawn(picture, keyword))
        elif key in self.shelf.photos:
            lying = self.shelf.photos.pop(key)
            if to not in self.shelf.photos and to != key:
                self.shelf.photos[to] = lying
                # Another photo under a key, at another path, is not what the owner spoke about (P11).
                self.barred[to], self.undone[to] = set(), set()
                self.given.add(to)

    @rule(engine=st.sampled_from(ENGINES), what=changes)
    def user_changes_settings(self, engine: str, what: str) -> None:
        house, declared = self.house, self.house.engines[engine]
        if what == "prefix":
            for name in ENGINES:
                house.change(name, prefix="tti" if name == engine and not prefix_of(declared) else "")
        elif what == "percent":
            house.change(engine, min_confidence=60 if house.app.policy.engines.get(engine) else 0)
        elif what == "enabled":
            house.enable(engine, not declared.enabled)
        else:
            self.levels[engine] = 1 - self.levels[engine]
            house.change(engine, level=self.levels[engine])

    @rule(minutes=st.sampled_from([1, 20]))
    def time_goes_by(self, minutes: int) -> None:
        if minutes > 10:
            self.wall.catch_up()  # nothing takes effect later than that
        self.house.later(minutes)

    # ── runs ──────────────────────────────────────────────────────────────────────────────────────────────

    @rule(
        fault=faults,
        kill=kills,
        late=st.booleans(),
        between=betweens,
        write=st.sampled_from([1, 1, 0]),
    )
    def scan(self, fault: str, kill: int, late: bool, between: Any, write: int) -> None:
        self._prepare(late, between)
        self._run(lambda: self.house.scan(sure=True, write=bool(write)), fault, kill)

    @rule(
        engine=st.sampled_from(ENGINES),
        what=changes,
        kill=st.integers(1, 6),
        changes_mind=st.booleans(),
    )
    def a_write_comes_late(self, engine: str, what: str, kill: int, changes_mind: bool) -> None:
        """A run is killed in a write that takes effect only after the next one has looked; meanwhile the owner
        may have changed their mind about what they want there (RELIABILITY, "In doubt").
        """
        self.user_changes_settings(engine, what)
        self._prepare(True, None)
        self._run(lambda: self.house.scan(sure=True), "", -kill)
        if changes_mind:
            self.user_changes_settings(engine, what)
        self._prepare(False, None)
        self._run(lambda: self.house.scan(sure=True), "", 0)
        self.verify()

    @rule()
    def verify(self) -> None:
        self._prepare(False, None)
        self._run(lambda: self.house.write(verify=True), "", 0)
        self._check_that_all_is_in_line()

    @rule(word=st.sampled_from(["accept", "restore"]))
    def user_gives_their_word(self, word: str) -> None:
        if word == "restore":
            self.barred = {key: set() for key in KEYS}
        self._run(lambda: self.house.write(**{word: True}), "", 0)

    @rule(fault=faults, kill=kills, late=st.booleans(), which=st.integers(0, 4))
    def undo(self, fault: str, kill: int, late: bool, which: int) -> None:
        self._prepare(late, None)
        runs = [row.id for row in self.house.rows(tables.Run)]
        order: dict[str, Any] = {"everything": True} if which < 2 else {"run_id": runs[-min(which, len(runs))]}
        shown = {key: set(tags) for key, tags in self.house.wall.items()}
        ours = {(key, name) for key, name, origin, _ in self.house.ledger() if origin == "ours"}
        was_clear = not self._intents() and not self.wall.late
        disturbed = self._run(lambda: self.house.undo(**order), fault, kill, brings_back=True)
        for mark in self.wall.marks:
            if mark.by == "us" and mark.action == "remove":
                self.undone[mark.key].add(canonical(mark.name))
        if which < 2 and was_clear and not disturbed:
            left = {key: {name for name in tags if (key, name) not in ours} for key, tags in shown.items()}
            assert self.house.wall == {key: tags for key, tags in left.items() if tags}

    @rule(fault=faults, kill=kills, late=st.booleans())
    def redo(self, fault: str, kill: int, late: bool) -> None:
        self._prepare(late, None)
        self.undone = {key: set() for key in KEYS}
        self._run(lambda: self.house.undo(everything=True, redo=True), fault, kill, brings_back=True)

    def _prepare(self, late: bool, between: tuple[str, bool, int] | None) -> None:
        """`between` is what the user edits between read and write; `late` what a kill does to a write."""
        self.wall.is_late = late
        self.wall.before_write = None
        if between is not None:
            key, adds, number = between

            def edit(written: str) -> None:
                if written == key:
                    self.wall.before_write = None
                    self._edit(key, adds, number)

            self.wall.before_write = edit

    def _set(self, fault: str) -> None:
        made: dict[str, Callable[[Photo], Exception]] = {
            "photo": lambda photo: PhotoError("415", photo),
            "transient": lambda photo: TransientError("503", photo),
            "down": lambda photo: PluginDown("401"),
        }
        mind = self.house.mind("seer")
        mind.fails = {"": made[fault]} if fault in made else {}
        mind.down = PluginDown("rejected the key") if fault == "start" else None
        mind.left = 0 if fault == "quota" else None
        self.shelf.cut_after = {"cut": 1, "empty": 0}.get(fault)
        self.shelf.cut = Incomplete("lists 1 of many") if fault == "cut" else None
        self.wall.down = Unreachable("Cannot reach the wall") if fault == "wall down" else None
        for key in KEYS:
            self.wall.loses[key] = fault == "lost"

    def _run(self, act: Callable[[], object], fault: str, kill: int, *, brings_back: bool = False) -> bool:
        """A run, and what must hold at each of its edits. True where something disturbed it.

        `brings_back`: a person asked for old tags.
        """
        had_intents = bool(self._intents())
        against = {key: self.barred[key] | self.undone[key] for key in KEYS}
        self.wall.marks.clear()
        self._set(fault)
        was_killed = self.house.killed_at(kill, act)
        self._set("")
        assert not self.wall.damage
        for mark in self.wall.marks:
            if mark.by == "us" and mark.action == "add" and not brings_back:
                assert canonical(mark.name) not in against[mark.key], f"{mark.name} came back on {mark.key}"
        self._check_that_nothing_was_learnt_from_absence()
        if not had_intents and not brings_back:
            self._check_that_tags_are_on_their_own_photo()
        return was_killed or bool(fault)

    def _check_that_nothing_was_learnt_from_absence(self) -> None:
        """I12. A verdict against a tag comes of the user's own hand."""
        learnt = {
            (key.partition(FORMER)[0], name) for key, name, value in self.house.verdicts() if value == "no"
        }
        wished = {(key, name) for key, names in self.removed.items() for name in names}
        assert learnt <= wished, f"nobody removed {learnt - wished}"

    def _check_that_tags_are_on_their_own_photo(self) -> None:
        """I13. What a redo brings back is what was there, also where the photo was replaced since."""
        numbers = {row.id: self.pictures[row.content_id] for row in self.house.rows(tables.PhotoRow)}
        photos = {row.key: numbers[row.photo_id] for row in self.house.rows(tables.ItemRow) if row.photo_id}
        for mark in self.wall.marks:
            if mark.by == "us" and mark.action == "add" and "only" in mark.name:
                assert mark.name.endswith(f"only{photos[mark.key]}")

    def _check_that_all_is_in_line(self) -> None:
        looked_at = [
            row
            for row in self.house.rows(tables.ItemRow)
            if not row.gone_since and row.photo_id and row.read_stamp == row.stamp
        ]
        rows = {row.id: row.key for row in looked_at}
        held = {row.item_id for row in self.house.rows(tables.Delivery) if row.state == "held"}
        policy = self.house.app.policy
        with self.house.database.reading() as session:
            said = answers.said_of(session, list(rows), list(policy.engines))
        frozen = {(key, name) for key, name, value in self.house.verdicts() if value == "undone"}
        edits = [row for row in self.house.rows(tables.Edit) if row.state == "confirmed" and row.undoes]
        brought_back = {(row.item_id, row.fold) for row in edits if row.action == "add"}
        assert not self._intents() & {(key, name) for key in rows.values() for name in self.wall.of(key)}
        for row_id, key in rows.items():
            if row_id in held:
                continue
            names = {each.fold for each in wanted(said[row_id], policy)}
            missing = {
                name for name in names - self.wall.of(key) if not self._is_against(row_id, canonical(name))
            }
            assert not missing, f"{key} lacks {missing}"
            ours = {
                name: set(who)
                for each, name, origin, who in self.house.ledger()
                if (each, origin) == (key, "ours")
            }
            assert ours.keys() <= self.wall.of(key), f"{key} lacks what the ledger says"
            speaking = said[row_id].keys()
            for name, who in ours.items():
                is_kept = who - speaking or (key, canonical(name)) in frozen or (row_id, name) in brought_back
                assert name in names or is_kept, f"{name} stays on {key}"
            hung = {name for name in self.wall.of(key) if self.wall.hung_by[key, name] == "us"}
            entries = {name for each, name, *_ in self.house.ledger() if each == key}
            assert hung <= entries or key in self.given, f"{hung - entries} on {key} is nobody's"

    def _is_against(self, row_id: int, name: str) -> bool:
        photos = {row.id: row.photo_id for row in self.house.rows(tables.ItemRow)}
        rulings = [
            row
            for row in self.house.rows(tables.Verdict)
            if row.canonical == name and (row.item_id == row_id or row.photo_id == photos[row_id])
        ]
        return any(row.value in ("no", "undone") for row in rulings)


@pytest.fixture
def template(_migrated: Callable[[str], str]) -> None:
    Library.template = Path(_migrated("sqlite").removeprefix("sqlite:///"))


@pytest.mark.timeout(7200)
def test_what_the_owner_was_promised_holds_in_any_order(template: None) -> None:
    run_state_machine_as_test(
        Library,
        settings=settings(
            max_examples=_STORIES or 9,
            stateful_step_count=30,
            derandomize=not _STORIES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
