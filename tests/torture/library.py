"""A Plex server that is not what it was: absence is not deletion, a copy is no wish (P9, P20, C5, D13)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.torture import state
from tests.torture.rig import Ended, Kept, Rig, different_pictures, rig
from tests.torture.trial import Cell, Miss, Trial, missed

BOUNDARY = "Plex library"
PHOTOS = 24
FEW = 6
"""Of the short form: the fewest that are missed as a whole."""
_SCAN = ("scan", "--executor", "threads")
_ONLY_IMAGGA = {"ENGINE_COMPREFACE_ENABLED": "false"}
SECOND = "the scan after it"


@dataclass(frozen=True)
class Change:
    """What becomes of the library between two scans, and what the second says."""

    name: str
    make: Callable[[Rig], object]
    words: str
    command: tuple[str, ...] = _SCAN


def _keep_only(count: int) -> Callable[[Rig], None]:
    def cut(rig: Rig) -> None:
        for key in sorted(rig.world.plex.photos)[count:]:
            rig.world.plex.remove_photo(key)

    return cut


def _another(rig: Rig) -> None:
    """With the same keys for other photos, and the tags of its own user."""
    plex = rig.world.plex
    plex.machine = "an0ther"
    plex.wipe_client_tags()
    for key, content in zip(sorted(plex.photos), [*different_pictures(90)][60:], strict=False):
        plex.replace(key, content)
        plex.user_add(key, "Theirs")


def _restored(every: int) -> Callable[[Rig], None]:
    """From a copy that was made before our tags; of every so-manieth photo they are left."""

    def restore(rig: Rig) -> None:
        plex = rig.world.plex
        for place, key in enumerate(sorted(plex.photos)):
            if not every or place % every:
                photo = plex.photos[key]
                photo.tags = [row for row in photo.tags if row not in photo.by_client]
                photo.by_client.clear()
        plex.add_photo("", "new.jpg", [*different_pictures(91)][90])

    return restore


_NOTHING = r"lists \d+ photos where \d+ were known\. Nothing was removed"
_WIPED = r"(none of the|lacks) tags.* (written )?to \d+ photos\. Was it restored\?"
CHANGES = (
    Change("lists 0 photos", _keep_only(0), _NOTHING),
    Change("lists under half of the photos", _keep_only(11), _NOTHING),
    Change("is another server with the same keys", _another, "is another server than the one with"),
    Change("was restored without our tags", _restored(0), _WIPED),
    Change("was restored without most of our tags", _restored(12), _WIPED),
    Change("was restored, and is verified", _restored(12), _WIPED, ("write", "--verify")),
)


def trials(full: bool) -> Iterator[Trial]:
    with (
        tempfile.TemporaryDirectory(prefix="torture-") as folder,
        rig(Path(folder), photos=PHOTOS if full else FEW, **_ONLY_IMAGGA) as made,
    ):
        first = made.run(*_SCAN)
        assert first.code == 0, first.err
        kept = made.keep()
        for change in CHANGES if full else CHANGES[:1]:
            yield from _one(made, kept, change)
        if full:
            yield from _older_backup(made, kept)


def _one(rig: Rig, kept: Kept, change: Change) -> Iterator[Trial]:
    """Nothing is asked, written or learnt; when all is as before, there is nothing to do."""
    rig.put_back(kept)
    before, known, old = rig.library(), _known(rig), _shown(rig)
    change.make(rig)
    seen = _shown(rig)
    ended = rig.run(*change.command)
    said = any(re.search(change.words, line) for line in ended.err.splitlines())
    yield Trial(
        Cell(BOUNDARY, change.name, "a later scan"),
        misses=_wrong(ended, 9)
        | missed(
            words=None if said else f"no line like `{change.words}`: {ended.err[:300]}",
            lost=_changed(rig, seen) or _unlearnt(known, _known(rig)),
            billed=_sent(rig, most=1 if "restored" in change.name else 0),
        ),
    )
    rig.put_back_library(before)
    again = rig.run(*_SCAN)
    lost = _changed(rig, old) or rig.damage()
    yield Trial(Cell(BOUNDARY, change.name, SECOND), misses=_wrong(again, 0) | missed(lost=lost))


def _older_backup(rig: Rig, kept: Kept) -> Iterator[Trial]:
    """D13: the database is of yesterday, Plex is of today. What may be billed again is said before it is."""
    rig.put_back(kept)
    plex = rig.world.plex
    news = [plex.add_photo("", f"new{n}.jpg", each) for n, each in enumerate([*different_pictures(94)][91:])]
    ended = rig.run(*_SCAN)
    assert ended.code == 0, ended.err
    today = rig.library()
    rig.put_back(kept)
    rig.put_back_library(today)
    plex.user_add(news[0], "Theirs")
    shown = _shown(rig)
    forecast = rig.run(*_SCAN, "--dry-run")
    said = re.search(r"imagga.*\b3\b", forecast.out)
    yield Trial(
        Cell(BOUNDARY, "database restored from an older copy", "dry run"),
        misses=_wrong(forecast, 0)
        | missed(words=None if said else f"not 3: {forecast.out[:300]}", billed=_sent(rig)),
    )
    ended = rig.run(*_SCAN)
    lost = [key for key, tags in shown.items() if not tags <= {*plex.tags(key)}]
    yield Trial(
        Cell(BOUNDARY, "database restored from an older copy", "a later scan"),
        misses=_wrong(ended, 0)
        | missed(
            lost=f"tags of {len(lost)} photos" if lost else rig.damage(),
            billed=_sent(rig, most=3),
            words=None if "27 photos · 3 new" in ended.out else f"{ended.out[:300]}",
        ),
    )


def _wrong(ended: Ended, code: int) -> dict[Miss, str]:
    torn = "Traceback" in ended.err or "fault in TigerTag" in ended.err
    return missed(
        hung=ended.hung,
        exit=None if ended.code == code else f"{ended.code} for {code}: {ended.last_words}",
    ) | missed(words=ended.last_words if torn else None)


def _shown(rig: Rig) -> dict[int, frozenset[str]]:
    return {key: frozenset(rig.world.plex.tags(key)) for key in rig.world.plex.photos}


def _changed(rig: Rig, before: dict[int, frozenset[str]]) -> str | None:
    """Photos that show other tags than before."""
    found = [key for key, tags in _shown(rig).items() if key in before and tags != before[key]]
    return f"the tags of {len(found)} photos were changed" if found else None


def _known(rig: Rig) -> dict[str, list[object]]:
    return state.dump(rig.url)


def _unlearnt(before: dict[str, list[object]], after: dict[str, list[object]]) -> str | None:
    """Ledger and verdicts must be as before, and nothing may be gone."""
    return state.difference(
        {name: before[name] for name in ("ledger", "verdict")},
        {name: after[name] for name in ("ledger", "verdict")},
    )


def _sent(rig: Rig, most: int = 0) -> str | None:
    count = len(rig.world.imagga.billed)
    return f"{count} pictures were sent" if count > most else None
