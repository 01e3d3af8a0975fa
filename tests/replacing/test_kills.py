"""A write that is killed at any step, and what the next run does about it (RELIABILITY M1, K7)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.replacing.bytes import NEW, OLD, names
from tests.steps import ends_at
from tigertag.replacing import create, drafts, holding, replace, sweep

# Ending at any moment.


def test_a_kill_at_any_step_leaves_a_whole_file_and_the_next_run_cleans_up(photo: Path) -> None:
    left_behind, states, moment = 0, [], 0
    while True:
        moment += 1
        photo.write_bytes(OLD)
        if not ends_at(moment, lambda: replace(photo, holding(NEW))):
            break
        states.append(photo.read_bytes())
        left_behind += sweep(photo.parent)
        assert names(photo.parent) == {"x.jpg"}
    assert set(states) == {OLD, NEW}
    assert states == sorted(states, key=[OLD, NEW].index)  # once it is new it never is old again
    assert left_behind >= 6


def test_a_kill_at_any_step_of_making_a_file_leaves_all_of_it_or_none(photo: Path) -> None:
    sidecar, moment, states = photo.with_name("new.xmp"), 0, set()
    while True:
        moment += 1
        sidecar.unlink(missing_ok=True)
        if not ends_at(moment, lambda: create(sidecar, holding(NEW), like=photo)):
            break
        sweep(photo.parent)
        states.add(sidecar.read_bytes() if sidecar.exists() else None)
        assert names(photo.parent) <= {"x.jpg", "new.xmp"}
    assert states == {None, NEW}


def test_an_unfinished_file_is_not_readable_by_others(photo: Path) -> None:
    modes = []
    replace(photo, holding(NEW), lambda made: modes.append(stat.S_IMODE(made.stat().st_mode)))
    assert modes == [0o600]


# What dead runs have left.


def test_what_a_live_process_makes_is_left(photo: Path) -> None:
    swept = []
    replace(photo, holding(NEW), lambda made: swept.append(sweep(photo.parent)))
    assert (swept, photo.read_bytes()) == ([0], NEW)


def named(place: str = "", boot: str = "", pid: int = 1, start: int = 1) -> str:
    here, now = drafts._here()
    return f".tigertag-{place or here}-{boot or now}-{pid}-{start}-0123456789abcdef.tmp"


def test_what_lies_there_since_before_the_boot_is_removed(tmp_path: Path) -> None:
    (tmp_path / named(boot="00000000", pid=os.getpid())).touch()
    assert sweep(tmp_path) == 1


def test_a_process_that_was_given_the_same_number_is_another(tmp_path: Path) -> None:
    (tmp_path / named(pid=os.getpid(), start=1)).touch()
    assert sweep(tmp_path) == 1


def test_what_another_machine_makes_is_left_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / named(place="00000000")
    path.touch()
    os.utime(path, (1, 1))  # as the photo that it is to replace: says nothing
    assert sweep(tmp_path) == 0
    tomorrow = path.stat().st_ctime + 24 * 3600 + 1
    monkeypatch.setattr("tigertag.replacing.drafts.time.time", lambda: tomorrow)
    assert sweep(tmp_path) == 1


def test_what_is_not_ours_is_left(tmp_path: Path) -> None:
    others = {".tigertag-notes.tmp", "x.jpg_original", "x.jpg_exiftool_tmp", named() + ".bak", ".tmp"}
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / named(pid=2)).mkdir()
    (tmp_path / named(pid=3)).symlink_to("x.jpg_original")
    assert sweep(tmp_path) == 0
    assert others < names(tmp_path)


def test_a_folder_that_is_gone_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "gone") == 0


def test_nobody_is_at_it_for_more_than_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / drafts.a_name("0123456789abcdef")  # of this very process
    path.touch()
    assert sweep(tmp_path) == 0
    tomorrow = path.stat().st_ctime + 24 * 3600 + 1
    monkeypatch.setattr("tigertag.replacing.drafts.time.time", lambda: tomorrow)
    assert sweep(tmp_path) == 1
