"""One rule says which sidecar is a photo's own, for reading as for writing."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from tigertag.media.sidecars import Neighbours
from tigertag.targets.xmp.places import sidecar_of

PHOTOS = ("a.jpg", "a.cr2", "a.dng", "A.png", "a")
SIDECARS = ("a.jpg.xmp", "a.jpg.XMP", "a.xmp", "a.XMP", "a.cr2.xmp")


def test_reading_and_writing_take_the_same_sidecar_of_any_photos_beside_each_other(tmp_path: Path) -> None:
    wrong = []
    for number, names in enumerate(_folders()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in names:
            (folder / name).touch()
        beside = Neighbours.of(names)
        for photo in set(names) & {*PHOTOS}:
            target = sidecar_of(folder / photo, "full")
            written = target.name if target.exists() else None
            if beside.sidecar_of(photo) != written:
                wrong.append((names, photo, beside.sidecar_of(photo), written))
    assert wrong == []


def _folders() -> list[tuple[str, ...]]:
    photos = [each for size in (1, 2) for each in combinations(PHOTOS, size)]
    sidecars = [each for size in (0, 1, 2) for each in combinations(SIDECARS, size)]
    return [(*some, *others) for some in photos for others in sidecars]


def test_of_a_raw_file_and_the_jpeg_beside_it_the_raw_file_has_the_sidecar_of_their_name() -> None:
    beside = Neighbours.of(["a.jpg", "a.cr2", "a.xmp"])
    assert (beside.sidecar_of("a.cr2"), beside.sidecar_of("a.jpg")) == ("a.xmp", None)


def test_of_several_pictures_none_has_the_sidecar_of_their_name() -> None:
    beside = Neighbours.of(["a.jpg", "a.png", "a.xmp"])
    assert (beside.sidecar_of("a.jpg"), beside.sidecar_of("a.png")) == (None, None)
