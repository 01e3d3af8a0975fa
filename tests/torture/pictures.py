"""Good photos with every kind of bad one beside them (K5, K6, I14, I16, I17, E15).

Every good one is tagged, every bad one is named once with its reason, whatever it holds and is called.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture import odd_files, spoiled
from tests.torture.rig import rig
from tests.torture.shelf import ENGINES, PROGRESS, Ran, Shelf, shelf
from tests.torture.trial import Cell, Miss, Trial, missed
from tests.torture.zoo import NAMES, herd
from tests.torture.zoo_draw import Beast, Fate, saved
from tigertag.cli.screen import visible
from tigertag.media.names import key_of, printable

BOUNDARY = "pictures"
GOOD = 12
_ROOM = 1 << 30
"""Bytes beyond what a run over good photos takes."""


def trials(full: bool) -> Iterator[Trial]:
    with shelf() as made:
        yield from of_herd(made, list(herd(full))[:: 1 if full else 6])
        yield from named_oddly(made)
        yield from odd_files.trials(made, full)
        yield from spoiled.trials(made, full)
        yield from odd_files.contained(made, full)
    if full:
        yield from through_plex(list(herd(False)))


def good_ones(shelf: Shelf) -> list[str]:
    names = [f"good/{number}.jpg" for number in range(GOOD)]
    for number, name in enumerate(names):
        shelf.put(name, jpeg_bytes(100 + number, size=(300, 200)))
    return names


def untagged(shelf: Shelf, names: Sequence[str]) -> str | None:
    """Good photos that not every engine has answered."""
    answered = shelf.answered()
    lost = [name for name in names if answered[name] != len(ENGINES)]
    return f"{len(lost)} good photos are not tagged: {lost[:3]}" if lost else None


# ── the herd ──────────────────────────────────────────────────────────────────────────────────────────────


def of_herd(shelf: Shelf, beasts: Sequence[Beast]) -> Iterator[Trial]:
    """One run over all of them, and another one that has nothing to do."""
    shelf.clear()
    names = good_ones(shelf)
    base = shelf.scan()
    placed = {f"bad/{number:04}/{beast.name}": beast for number, beast in enumerate(beasts)}
    for name, beast in placed.items():
        shelf.put(name, beast.content)
    ran = shelf.scan(limit=60 + len(beasts))
    answered = shelf.answered()
    for name, beast in placed.items():
        misses = fate(ran, name, beast, answered[name])
        yield Trial(Cell(BOUNDARY, beast.fault, "scan of a folder"), name, misses)
    lines = [line for line in ran.complaints if not PROGRESS.fullmatch(line)]
    strangers = [line for line in lines if not any(name in line for name in placed)]
    beyond = max(0, ran.peak - base.peak - _ROOM)
    yield Trial(
        Cell(BOUNDARY, "all of them together", "scan of a folder"),
        misses=missed(
            hung=ran.hung,
            exit=None if ran.code == 3 else f"{ran.code} for 3",
            words=ran.wrong_words() or (f"named for nothing: {strangers[0]}" if strangers else None),
            lost=untagged(shelf, names) or shelf.left(),
            leaked=f"{beyond >> 20} MiB more than it may take" if beyond else None,
        ),
    )
    yield known(shelf, ran, Cell(BOUNDARY, "all of them together", "the scan after it"))


def fate(ran: Ran, name: str, beast: Beast, answers: int) -> dict[Miss, str]:
    """What was not as it must be."""
    lines = ran.naming(name)
    is_tagged = answers == len(ENGINES) and not lines
    is_named = len(lines) == 1 and answers < len(ENGINES)
    if beast.fate is Fate.TAGGED and not is_tagged:
        return missed(lost=f"{answers} of {len(ENGINES)} engines have answered; {lines}")
    if not is_tagged and not is_named:
        return missed(lost=f"neither tagged nor named once: {answers} answers, {lines}")
    if beast.fate is Fate.NAMED and is_tagged:
        return missed(words="tagged, and never named")
    if is_named and not re.search(beast.words, lines[0]):
        return missed(words=f"no `{beast.words}`: {lines[0]}")
    return {}


def known(shelf: Shelf, first: Ran, cell: Cell) -> Trial:
    """The next scan: known failures are counted and not tried, and it is content."""
    ran = shelf.scan()
    return Trial(
        cell,
        misses=missed(
            hung=ran.hung,
            exit=None if ran.code == 0 else f"{ran.code} for 0: {ran.err[:200]}",
            words=f"said again: {ran.err[:200]}"
            if ran.complaints
            else None
            if re.search(r"failed +\d+ known ones not tried", ran.out) or not first.complaints
            else f"known ones are not mentioned: {ran.out[-200:]}",
            lost=shelf.left(),
        ),
    )


def named_oddly(shelf: Shelf) -> Iterator[Trial]:
    """Names of every kind, on good photos and on bad ones."""
    shelf.clear()
    for number, name in enumerate(NAMES.values()):
        shelf.put(b"good%d/" % number + name, jpeg_bytes(200 + number, size=(120, 90)))
        shelf.put(b"bad%d/" % number + name, saved("JPEG")[:-300])
    ran = shelf.scan()
    answered = shelf.answered()
    for number, (fault, name) in enumerate(NAMES.items()):
        decoded = name.decode("utf-8", "surrogateescape")
        shown = visible(printable(f"bad{number}/{decoded}"))
        lines = ran.naming(shown)
        good, bad = (answered[key_of(f"{kind}{number}/{decoded}")] for kind in ("good", "bad"))
        misses = missed(
            hung=ran.hung,
            lost=f"{good} of {len(ENGINES)} engines have answered" if good != len(ENGINES) else None,
            words=ran.wrong_words() or (None if len(lines) == 1 and not bad else f"named {len(lines)} times"),
            exit=None if ran.code == 3 else f"{ran.code} for 3",
        )
        yield Trial(Cell(BOUNDARY, f"name: {fault}", "scan of a folder"), misses=misses)


# ── the same through Plex ─────────────────────────────────────────────────────────────────────────────────


def through_plex(beasts: Sequence[Beast]) -> Iterator[Trial]:
    """Bad pictures that a server lists and sends, beside good ones."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, rig(Path(folder)) as made:
        plex = made.world.plex
        good = list(plex.photos)
        placed = {f"{number:04}-{beast.name}": beast for number, beast in enumerate(beasts)}
        keys = {name: plex.add_photo("Bad", name, beast.content) for name, beast in placed.items()}
        ended = made.run("scan")
        ran = Ran(ended.pid, ended.code, ended.out, ended.err, ended.seconds)
        for name, beast in placed.items():
            lines, tags = ran.naming(name), plex.tags(keys[name])
            is_well = {
                Fate.TAGGED: bool(tags) and not lines,
                Fate.NAMED: len(lines) == 1 and not tags,
                Fate.EITHER: bool(tags) != (len(lines) == 1),
            }[beast.fate]
            note = None if is_well else f"{len(tags)} tags, {lines}"
            yield Trial(Cell(BOUNDARY, beast.fault, "scan of Plex"), name, missed(lost=note))
        bare = [plex.relative(plex.photos[key]) for key in good if not plex.tags(key)]
        yield Trial(
            Cell(BOUNDARY, "all of them together", "scan of Plex"),
            misses=missed(
                hung=ended.hung,
                exit=None if ran.code == 3 else f"{ran.code} for 3: {ended.last_words}",
                words=ran.wrong_words(),
                lost=f"not tagged: {bare}" if bare else made.damage() or made.left_behind(),
            ),
        )
