"""What to do about one item of a target, decided from what is wanted, shown and known. Pure.

The whole promise to the owner is here: only `ours` is removed, what a human removed stays away, what a human
added is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tigertag.model import fold
from tigertag.pipeline.policy import Wanted


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger row: a tag that stands on an item, `ours` or `theirs`."""

    name: str
    kind: str
    canonical: str
    ours: bool
    engines: tuple[str, ...]

    @property
    def fold(self) -> str:
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict that counts for an item: its own, or that of another item of the same photo."""

    kind: str
    canonical: str
    value: str
    name: str
    own: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an item before a target is looked at.

    `speaking` are the engines in force that have an answer for this item; what others wanted is left alone.
    """

    wanted: Sequence[Wanted]
    entries: Sequence[Entry]
    rulings: Sequence[Ruling]
    speaking: Collection[str]
    brought_back: Collection[str] = ()
    """Folded names of ours that an undo put back: it takes a person to take them off again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference, and what is learnt about the owner's wishes."""

    add: tuple[Wanted, ...] = ()
    remove: tuple[Entry, ...] = ()
    """Ours, in the target's spelling."""
    refused: tuple[Entry, ...] = ()
    """Gone since we last looked: a human removed it; verdict `no`."""
    forgotten: tuple[Entry, ...] = ()
    """Gone, and nothing is to be learnt from it."""
    welcomed: tuple[Wanted, ...] = ()
    """There again after a verdict against it: verdict `yes`, and theirs."""
    found: tuple[Wanted, ...] = ()
    """Wanted, and there before us: theirs."""
    stopped: tuple[Wanted, ...] = ()
    """Wanted, and kept away by a verdict."""
    kept: tuple[Entry, ...] = ()
    """Still there, with the engines that want it now."""

    @property
    def changes_target(self) -> bool:
        return bool(self.add or self.remove)


def missing(known: Known, shown: Collection[str]) -> tuple[Entry, ...]:
    """Our tags that stood there and are not among the names `shown`."""
    there = {fold(name) for name in shown}
    return tuple(entry for entry in known.entries if entry.ours and entry.fold not in there)


def plan(known: Known, shown: Sequence[str], *, learn: bool = True, follow: bool = False) -> Plan:
    """The way from `shown` to what is wanted.

    `follow`: ours goes where a person removed it from another target, or from a copy of the photo.

    `learn=False` is for a target that was restored from a copy: what is gone is written again where it is
    wanted, and no verdict comes of it.
    """
    there = {fold(name): name for name in shown}
    entries = {entry.fold: entry for entry in known.entries}
    gone = tuple(entry for entry in known.entries if entry.fold not in there)
    standing = {key: entry for key, entry in entries.items() if key in there}
    wanted = {tag.fold: tag for tag in known.wanted}

    new = [tag for key, tag in wanted.items() if key not in entries or (key not in there and not learn)]
    welcomed = _welcomed(known.rulings, there, entries, wanted)
    known_again = {tag.fold for tag in welcomed}
    against = _against(_ruled(known.rulings, welcomed), gone if learn else ())
    absent = [tag for tag in new if tag.fold not in there]
    kept, remove = _weigh(standing, wanted, known, there)
    if follow:
        refused = _against(_ruled(known.rulings, welcomed), (), values=("no",))
        away = [entry for entry in kept if entry.ours and _stopped(entry, refused)]
        kept, remove = tuple(entry for entry in kept if entry not in away), (*remove, *away)
    return Plan(
        add=tuple(tag for tag in absent if not _stopped(tag, against)),
        stopped=tuple(tag for tag in absent if _stopped(tag, against)),
        remove=remove,
        refused=gone if learn else (),
        forgotten=() if learn else gone,
        welcomed=tuple(welcomed),
        found=tuple(tag for tag in new if tag.fold in there and tag.fold not in known_again),
        kept=kept,
    )


def finish(decided: Plan, add: Sequence[Entry], remove: Sequence[Entry]) -> Plan:
    """The plan with what an undo or redo that was cut off still has to do.

    Only what still stands as ours is removed, only what is not there is added.
    """
    off = {entry.fold for entry in remove}
    there = {tag.fold for tag in (*decided.add, *decided.found, *decided.welcomed)}
    there |= {entry.fold for entry in (*decided.kept, *decided.remove)}
    back = [entry for entry in add if entry.fold not in there]
    return replace(
        decided,
        add=(*decided.add, *(Wanted(each.name, each.kind, each.canonical, each.engines) for each in back)),
        stopped=tuple(tag for tag in decided.stopped if tag.fold not in {each.fold for each in back}),
        remove=(*decided.remove, *(each for each in decided.kept if each.ours and each.fold in off)),
        kept=tuple(each for each in decided.kept if not (each.ours and each.fold in off)),
    )


def _against(
    rulings: Sequence[Ruling], gone: Sequence[Entry], values: Collection[str] = ("no", "undone")
) -> dict[tuple[str, str], bool]:
    """Whether a verdict of `values` stops a tag, by kind and canonical name and by the name that was shown.

    An item's own verdict beats that of its copies. The shown name counts too: a tag and a person of one name
    are one tag on the photo, and who removed it does not want it back from the other.
    """
    found: dict[tuple[str, str], bool] = {}
    for ruling in sorted(rulings, key=lambda each: each.own):
        stops = ruling.value in values
        found[ruling.kind, ruling.canonical] = found["", fold(ruling.name)] = stops
    for entry in gone:
        found[entry.kind, entry.canonical] = found["", entry.fold] = True
    return found


def _ruled(rulings: Sequence[Ruling], welcomed: Sequence[Wanted]) -> list[Ruling]:
    """The verdicts as they will be: what is learnt now counts now, so that a second look changes nothing."""
    learnt = {(tag.kind, tag.canonical): tag for tag in welcomed}
    old = [ruling for ruling in rulings if not ruling.own or (ruling.kind, ruling.canonical) not in learnt]
    return [*old, *(Ruling(tag.kind, tag.canonical, "yes", tag.name, own=True) for tag in learnt.values())]


def _stopped(tag: Wanted | Entry, against: Mapping[tuple[str, str], bool]) -> bool:
    return against.get((tag.kind, tag.canonical), False) or against.get(("", tag.fold), False)


def _welcomed(
    rulings: Sequence[Ruling],
    there: Mapping[str, str],
    entries: Mapping[str, Entry],
    wanted: Mapping[str, Wanted],
) -> list[Wanted]:
    """Tags that stand there again under the name that a verdict is against, wanted or not.

    Another name of the same tag (another prefix) may have been there all along: it says nothing.
    """
    found = []
    for ruling in rulings:
        key = fold(ruling.name)
        if ruling.own and ruling.value in ("no", "undone") and key in there and key not in entries:
            engines = wanted[key].engines if key in wanted else ()
            found.append(Wanted(ruling.name, ruling.kind, ruling.canonical, engines))
    return found


def _weigh(
    standing: Mapping[str, Entry], wanted: Mapping[str, Wanted], known: Known, there: Mapping[str, str]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Splits what stands there into what stays, with the engines that want it now, and what goes."""
    kept, remove = [], []
    for key, entry in standing.items():
        silent = [engine for engine in entry.engines if engine not in known.speaking]
        says = wanted[key].engines if key in wanted else ()
        engines = tuple(dict.fromkeys((*says, *silent)))
        if entry.ours and not engines and key not in known.brought_back:
            remove.append(replace(entry, name=there[key]))
        else:
            kept.append(replace(entry, name=there[key], engines=engines or entry.engines))
    return tuple(kept), tuple(remove)
