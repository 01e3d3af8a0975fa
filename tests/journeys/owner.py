"""What an owner may rely on, as sets: a model of the promises, which knows nothing of the program.

Written from DESIGN.md (ideas 1, 2, 5, 6, 7) and RELIABILITY.md (P8-P20, I1-I13). A `Place` is an item with what
hangs there; `Owner.night` says what must hang there after a night in which nothing was in the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PREFIX = "tti_"

Said = tuple[tuple[str, int], ...]
"""What an engine says about a picture: names, each with its percent."""


def canonical(name: str) -> str:
    """The name before its prefix: what a verdict is about."""
    return name.removeprefix(PREFIX)


@dataclass(eq=False)
class Place:
    """A place where a picture lies, and the tags on it."""

    key: str
    picture: int
    is_listed: bool = True
    is_readable: bool = True
    opened: int | None = None
    """The picture that was found when it was opened last."""
    shows: set[str] = field(default_factory=set)
    ours: dict[str, set[str]] = field(default_factory=dict)
    """Tags that were written, and the engines that want them."""
    theirs: set[str] = field(default_factory=set)
    """Tags that engines want too and that were there before us."""
    verdicts: dict[str, tuple[str, str, int | None]] = field(default_factory=dict)
    """By canonical name the verdict, the name that it was about, and the picture."""
    brought_back: set[str] = field(default_factory=set)
    """What an undo put back stays, wanted or not."""
    in_line_with: frozenset[tuple[str, frozenset[str]]] = frozenset()
    must_be_seen: bool = False
    """It came back, or what kept tags from it was lifted."""
    in_doubt: set[str] = field(default_factory=set)
    """Names of which nobody can tell who put them there (RELIABILITY, "In doubt")."""

    @property
    def unseen(self) -> set[str]:
        """Tags of the ledger that a human took off since we looked."""
        return (self.ours.keys() | self.theirs) - self.shows

    @property
    def welcome(self) -> set[str]:
        """Tags that a human put there again after a verdict against them."""
        against = {name for value, name, _ in self.verdicts.values() if value != "yes"}
        return (against & self.shows) - self.ours.keys() - self.theirs


@dataclass(eq=False)
class Row:
    """One edit that a run made."""

    run: int
    place: Place
    name: str
    adds: bool
    engines: set[str]
    taken_back: int = 0
    """By the how manieth step back; 0: it counts."""


@dataclass
class Rules:
    """What of an engine's answers is wanted."""

    percent: int = 0
    prefix: str = ""
    is_enabled: bool = True


@dataclass
class Owner:
    """All places, answers, rules and edits."""

    places: dict[str, Place] = field(default_factory=dict)
    former: list[Place] = field(default_factory=list)
    """Places whose key was given to another photo."""
    rules: dict[str, Rules] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    answers: dict[tuple[str, int], list[Said]] = field(default_factory=dict)
    """By engine and picture, what it said, the newest revision last."""
    rows: list[Row] = field(default_factory=list)
    steps_back: int = 0

    # ── what is wanted ────────────────────────────────────────────────────────────────────────────────────

    def said(self, engine: str, picture: int | None) -> Said | None:
        """The newest answer there is. A newer revision that waits or failed changes nothing."""
        found = self.answers.get((engine, -1 if picture is None else picture))
        return found[-1] if found else None

    def wanted(self, place: Place) -> dict[str, set[str]]:
        """The names that are to be there, and who wants each."""
        found: dict[str, set[str]] = {}
        for engine, rules in self.rules.items():
            for name, percent in (self.said(engine, place.opened) or ()) if rules.is_enabled else ():
                if percent >= rules.percent and name not in self.denied:
                    found.setdefault(rules.prefix + name, set()).add(engine)
        return found

    def _speaks(self, engine: str, place: Place) -> bool:
        return self.rules[engine].is_enabled and self.said(engine, place.opened) is not None

    def _is_barred(self, place: Place, name: str) -> bool:
        """A verdict counts by item or photo; the item's own beats that of a copy."""
        own = place.verdicts.get(canonical(name))
        if own is not None:
            return own[0] != "yes"
        others = (each.verdicts.get(canonical(name)) for each in (*self.places.values(), *self.former))
        return any(each is not None and each[0] != "yes" and each[2] == place.opened for each in others)

    # ── nights ────────────────────────────────────────────────────────────────────────────────────────────

    def night(self, run: int) -> None:
        """A scan that nothing disturbed: all that is listed is opened, asked about and brought in line."""
        self.open()
        self.write(run)

    def open(self) -> None:
        """All that is listed is seen as it lies."""
        for place in self.listed():
            if place.is_readable:
                place.opened = place.picture

    def write(self, run: int, *, verify: bool = False) -> None:
        """What is wanted otherwise than before is brought in line; `verify` looks at the rest, too."""
        for place in self.listed():
            wanted = self.wanted(place)
            line = frozenset((name, frozenset(engines)) for name, engines in wanted.items())
            known = verify and (place.ours or place.theirs or place.verdicts)
            if place.opened is not None and (line != place.in_line_with or place.must_be_seen or known):
                self._look(run, place, wanted)
                place.in_line_with, place.must_be_seen = line, False

    def listed(self) -> Iterator[Place]:
        return (place for place in self.places.values() if place.is_listed)

    def _look(self, run: int, place: Place, wanted: dict[str, set[str]]) -> None:
        for name in place.unseen:  # a human took it off
            self._rule(place, name, "no")
            place.ours.pop(name, None)
            place.theirs.discard(name)
        for name in place.welcome:
            self._rule(place, name, "yes")
            place.theirs.add(name)
        place.theirs |= {name for name in wanted if name in place.shows and name not in place.ours}
        for name, engines in wanted.items():
            if name not in place.shows and not self._is_barred(place, name):
                self._hang(run, place, name, engines)
        for name, before in list(place.ours.items()):
            silent = {engine for engine in before if not self._speaks(engine, place)}
            place.ours[name] = wanted.get(name, set()) | silent or before
            if not (wanted.get(name) or silent or name in place.brought_back):
                self._take_off(run, place, name)

    def _rule(self, place: Place, name: str, value: str) -> None:
        place.verdicts[canonical(name)] = (value, name, place.opened)
        if value == "yes":
            self._lifted(place)

    def _lifted(self, place: Place) -> None:
        for each in self.places.values():
            each.must_be_seen |= each is not place and each.opened == place.opened

    def _hang(self, run: int, place: Place, name: str, engines: set[str]) -> None:
        place.shows.add(name)
        place.ours[name] = set(engines)
        self.rows.append(Row(run, place, name, True, set(engines)))

    def _take_off(self, run: int, place: Place, name: str) -> None:
        place.shows.discard(name)
        self.rows.append(Row(run, place, name, False, place.ours.pop(name)))

    # ── a person's word ───────────────────────────────────────────────────────────────────────────────────

    def restored(self) -> None:
        """The target was put back to a time before us: what we wrote is not there any more."""
        for place in self.listed():
            place.shows -= place.ours.keys()

    def restore(self, run: int) -> None:
        """What is missing and wanted is written again, and nothing is learnt."""
        for place in self.listed():
            for name in place.unseen:
                place.ours.pop(name, None)
                place.theirs.discard(name)
            place.must_be_seen = True
        self.write(run, verify=True)

    def undo(self, run: int | None = None) -> None:
        """Those rows of a run that are still the last for their place and tag, or of none: all that is ours."""
        for row in reversed(self._still_last(run)):
            place, name = row.place, row.name
            if row.adds and name in place.ours and name in place.shows:
                place.shows.discard(name)
                place.brought_back.discard(name)
                del place.ours[name]
            elif run is not None and not row.adds and name not in place.shows:
                place.shows.add(name)
                place.ours[name] = set(row.engines)
                place.brought_back.add(name)
            else:
                continue
            self.steps_back += 1
            row.taken_back = self.steps_back
            self._rule(place, name, "undone")

    def _still_last(self, run: int | None) -> list[Row]:
        """The rows of a run that no other has overtaken; of none: the last for each place and tag."""
        found: list[Row] = []
        overtaken: set[tuple[Place, str]] = set()
        for row in [row for row in reversed(self.rows) if not row.taken_back]:
            if (row.place, row.name) not in overtaken and run in (None, row.run):
                found.append(row)
            if run != row.run:
                overtaken.add((row.place, row.name))
        return found[::-1]

    def redo(self, run: int | None = None) -> None:
        """What undos of that run, or of any, did, backwards; the verdicts that they left are lifted."""
        undone = [row for row in self.rows if row.taken_back and run in (None, row.run)]
        for row in sorted(undone, key=lambda each: -each.taken_back):
            place, name = row.place, row.name
            if row.adds and name not in place.shows:
                place.shows.add(name)
                place.ours[name] = set(row.engines)
            elif not row.adds and name in place.ours and name in place.shows:
                place.shows.discard(name)
                del place.ours[name]
                place.brought_back.discard(name)
            else:
                continue
            row.taken_back = 0
            if place.verdicts.get(canonical(name), ("",))[0] == "undone":
                del place.verdicts[canonical(name)]
                self._lifted(place)

    # ── the owner's own hands ─────────────────────────────────────────────────────────────────────────────

    def adds(self, place: Place, name: str) -> bool:
        """True where nobody will be able to tell it from a tag of ours."""
        if name in place.ours:
            place.in_doubt.add(name)
        place.shows.add(name)
        return name in place.ours

    def leave(self, key: str, picture: int) -> Place:
        """The key of a place is given to another photo."""
        self.former.append(self.places.pop(key))
        self.former[-1].shows = set()  # went with it
        self.places[key] = Place(key, picture)
        return self.places[key]

    def adopt(self, place: Place, shown: Iterable[str]) -> None:
        """Takes over how what was in doubt turned out."""
        for name in place.in_doubt:
            if name in shown and name not in place.shows:
                place.shows.add(name)
                place.ours.pop(name, None)
            elif name not in shown:
                place.shows.discard(name)
                place.ours.pop(name, None)
        place.in_doubt = {name for name in place.in_doubt if name in place.ours}
