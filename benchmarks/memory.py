"""Peak memory of a first scan: it must not grow with the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.alone import MIB, Alone, scan_alone
from benchmarks.figure import Figure
from benchmarks.standins import Settings, Wanted, stand_ins

SMALL, LARGE = 500, 10_000
"""Photos in the smaller of two sections; the larger has ten times as many."""

_ENGINE: Settings = {"ENGINE_QUICK_NAME": "benchmarks.quick.QuickEngine", "ENGINE_QUICK_CONCURRENCY": "8"}


def measure(folder: Path, *, full: bool = False) -> Iterator[Figure]:
    """`full`: 100,000 photos against 10,000."""
    count = LARGE if full else SMALL
    less, more = (_scanned(folder / str(photos), photos) for photos in (count, 10 * count))
    yield Figure(
        "peak memory of a first scan",
        more.peak / MIB,
        "MiB",
        "lower",
        less.peak / MIB,
        f"{count:,} photos; a ratio of 1 would be a scan that does not depend on the library",
        f"{10 * count:,} tiny photos listed, fetched, answered and tagged in {more.seconds:.0f} s; VmHWM",
    )


def _scanned(folder: Path, photos: int) -> Alone:
    with stand_ins(Wanted(tiny=photos)) as services:
        found = scan_alone(folder, {**services.plex[0], **_ENGINE})
        if found.due != photos or (damage := services.damage()):
            raise RuntimeError(f"{found.due} of {photos} photos were due; damage: {damage[:3]}")
    return found
