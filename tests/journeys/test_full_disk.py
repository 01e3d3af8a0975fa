"""A disk of photos that is full: one line says so, every photo is as it was, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.journeys.world import different_pictures

PHOTOS = 3
PAGE = 4096
"""What a file on such a disk takes at least, bytes."""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(
        tmp_path,
        {
            "TARGET_XMP_NAME": "xmp",
            "ENGINE_METADATA_NAME": "metadata",
            "ENGINE_METADATA_WORDS": "orientation",
        },
    )
    made.pictures.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(made.pictures)]
    if not sys.platform.startswith("linux") or shutil.which("mount") is None:
        pytest.skip("small disks are made by the mount of Linux")
    if (done := subprocess.run(mounting, capture_output=True, text=True)).returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        for number, content in enumerate(different_pictures(PHOTOS, size=256)):
            (made.pictures / f"IMG_{number}.jpg").write_bytes(content)
        yield made
    finally:
        subprocess.run(["umount", "-l", str(made.pictures)], check=True)


def files(owner: Terminal) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in owner.pictures.iterdir() if each.suffix != ".fill"}


def fill(owner: Terminal, room: int) -> None:
    """Leaves `room` bytes."""
    status = os.statvfs(owner.pictures)
    (owner.pictures / "disk.fill").write_bytes(bytes(status.f_bavail * status.f_frsize - room))


@pytest.mark.parametrize(
    ("mode", "room", "written"),
    [("sidecar", 0, 0), ("sidecar", PAGE, 1), ("embedded", PAGE, 0)],
)
def test_a_scan_over_a_full_disk(owner: Terminal, mode: str, room: int, written: int) -> None:
    """RELIABILITY M1."""
    if mode == "embedded" and shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    owner.settings["TARGET_XMP_MODE"] = mode
    before = files(owner)
    fill(owner, room)
    result = owner.run("scan", str(owner.pictures))
    assert result.exit_code == 8, result.output
    complaints = [line for line in result.stderr.splitlines() if "No room left to write IMG_" in line]
    assert len(complaints) == 1
    now = files(owner)
    assert {name: now[name] for name in before} == before
    assert len(now) == PHOTOS + written

    (owner.pictures / "disk.fill").unlink()
    owner.scan()
    after = files(owner)
    assert after.keys() == before.keys() | ({f"{name}.xmp" for name in before} if mode == "sidecar" else set())
    owner.scan()
    assert files(owner) == after
    owner.ok("undo", "--all", "--yes")
    assert files(owner) == before
