"""Writes that are killed, or find no room, at any step: the old file or the new one, and nothing beside it."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pictures import jpeg_bytes
from tests.steps import ends_at, finds_no_room_at
from tests.targets.embedding import needs_exiftool
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import DiskError, DiskFull, TransientError
from tigertag.exiftool import Answer, ExifTool
from tigertag.model import Change, Item
from tigertag.replacing import sweep
from tigertag.targets.xmp import XmpOptions, XmpTarget
from tigertag.targets.xmp.embedded import Embedded
from tigertag.targets.xmp.files import Files
from tigertag.targets.xmp.sidecars import Sidecars
from tigertag.xmp.fields import Tag, Way
from tigertag.xmp.merging import Edit

DOG, CAT = Edit(add=(Tag("dog"),)), Edit(add=(Tag("cat"),))
NO_DOG = Edit(remove=("dog",))


class Recorded(ExifTool):
    """exiftool, which is asked once; what it made then it makes again, in two pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.made = b""

    def ask(self, *arguments: str, name: str, limit: float | None = None) -> Answer:
        draft = Path(arguments[-1]).with_name(arguments[arguments.index("-o") + 1].removeprefix("%d"))
        if not self.made:
            answer = super().ask(*arguments, name=name, limit=limit)
            self.made = draft.read_bytes()
            self.close()
            return answer
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                half = len(self.made) // 2
                for piece in (self.made[:half], self.made[half:]):
                    os.write(descriptor, piece)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DiskError("No room left to write a.jpg") from error
        return Answer(b"")


@dataclass
class Place:
    """A photo, and what keeps its tags."""

    folder: Path
    container: Sidecars | Files
    before: tuple[Edit, ...]
    edit: Edit

    @property
    def photo(self) -> Path:
        return self.folder / "a.jpg"

    def furnish(self) -> None:
        for each in self.folder.iterdir():
            each.unlink()
        self.photo.write_bytes(jpeg_bytes(1, size=(64, 48)))
        for edit in self.before:
            self.container.edit(self.photo, edit)

    def act(self) -> None:
        self.container.edit(self.photo, self.edit)

    def files(self) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in self.folder.iterdir()}

    def old_and_new(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        self.furnish()
        old = self.files()
        self.act()
        return old, self.files()


SIDECARS = Sidecars("full", Way())


def inside() -> Files:
    return Files(Embedded(Recorded(), Way()), SIDECARS, FakeMemory())


@pytest.fixture(
    params=[
        pytest.param((lambda: SIDECARS, (), DOG), id="new sidecar"),
        pytest.param((lambda: SIDECARS, (DOG,), CAT), id="changed sidecar"),
        pytest.param((lambda: SIDECARS, (DOG,), NO_DOG), id="last tag of a sidecar"),
        pytest.param((inside, (), DOG), id="inside the photo", marks=needs_exiftool),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    make, before, edit = request.param
    return Place(tmp_path, make(), before, edit)


def test_a_kill_at_any_step(place: Place) -> None:
    """RELIABILITY M1."""
    old, new = place.old_and_new()
    states, left, moment = [], 0, 0
    while True:
        moment += 1
        place.furnish()
        if not ends_at(moment, place.act):
            break
        left += sweep(place.folder)
        states.append(place.files())
        assert states[-1] in (old, new), f"killed at step {moment}"
    assert old in states and new in states
    assert left > 0 or place.edit is NO_DOG  # what is only removed needs no draft


def test_a_full_disk_at_any_step(place: Place) -> None:
    """RELIABILITY M1: the file is named, nothing is half done, and only what cannot be removed is left."""
    old, new = place.old_and_new()
    failed, moment = [], 0
    while True:
        moment += 1
        place.furnish()
        said = ""

        def act() -> None:
            nonlocal said
            try:
                place.act()
            except (DiskError, TransientError) as error:
                said = str(error)

        step = finds_no_room_at(moment, act)
        if not step:
            break
        failed.append(step)
        there = place.files()
        assert there in (old, new) or step == "unlink", f"no room at step {moment}, {step}"
        assert "a.jpg" in said and "\n" not in said, f"step {moment}, {step}: {said}"
    assert "fsync" in failed


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What is larger than so many bytes cannot be written: as if there were no room for it."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("room", [0, 1, 1000])
@pytest.mark.parametrize("before", [(), (CAT,)], ids=["new", "changed"])
def test_the_target_is_put_aside_where_a_sidecar_does_not_fit(
    tmp_path: Path, room: int, before: tuple[Edit, ...]
) -> None:
    place = Place(tmp_path, SIDECARS, before, DOG)
    place.furnish()
    old, status = place.files(), place.photo.stat()
    stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
    items = [Item(f"folder:1:{tmp_path}", "a.jpg", "a.jpg", stamp, size=status.st_size)] * 2
    target = XmpTarget(XmpOptions.model_validate({}), FakeMemory())
    said = r"a\.jpg: No room left to write a\.jpg\.xmp \(.*\)\. Nothing was changed\.\Z"
    with no_file_larger_than(room), pytest.raises(DiskFull, match=said):
        list(target.write([Change(each, add=("dog",)) for each in items]))
    assert (place.files(), DiskFull.exit_code) == (old, 8)
