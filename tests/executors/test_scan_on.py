"""Scans on each executor, as a person starts them: the same results, and what happens when one is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from distributed import SpecCluster

from tests.cli.terminal import Terminal
from tests.executors.conftest import address, cut_off, somebodys
from tests.plugins_for_tests import Burner
from tests.torture.state import Dump, difference, dump
from tigertag.model import Photo

_PHOTOS = tuple(f"{number}.jpg" for number in range(8))


@pytest.fixture
def library(tmp_path: Path) -> Terminal:
    """Eight photos, the engine of the house and one that looks at pictures."""
    made = Terminal(tmp_path)
    made.draw(*_PHOTOS)
    made.settings["ENGINE_BURNER_NAME"] = "tests.plugins_for_tests.Burner"
    made.settings["ENGINE_METADATA_NAME"] = "metadata"
    return made


def scan(library: Terminal, executor: str, *arguments: str, **options: object) -> tuple[Result, Dump]:
    """What a first scan says, and all that is known after it."""
    for name, value in options.items():
        library.settings[f"ENGINE_BURNER_{name.upper()}"] = str(value)
    (library.folder / "tigertag.db").unlink(missing_ok=True)
    done = library.run("scan", str(library.pictures), "--executor", executor, *arguments)
    return done, dump(f"sqlite:///{library.folder / 'tigertag.db'}")


def waiting(library: Terminal) -> dict[str, int]:
    """Photos that each engine has not answered."""
    return {each["id"]: each["waiting"] for each in library.json("status") if each["type"] == "engine"}


def test_results_are_the_same_on_every_executor(library: Terminal) -> None:
    first, known = scan(library, "threads?workers=1")
    assert first.exit_code == 0, first.output
    for executor in ("processes?workers=1", "processes?workers=2", "processes?workers=8"):
        done, found = scan(library, executor)
        assert (done.exit_code, difference(known, found)) == (0, None), executor


def test_a_dask_worker_that_is_killed_costs_only_work(library: Terminal) -> None:
    _, known = scan(library, "threads?workers=2")
    trap = library.folder / "trap"
    trap.touch()
    done, found = scan(library, "dask://local?workers=2", kills_once=trap)
    assert not trap.exists()
    assert (done.exit_code, done.stderr, difference(known, found)) == (0, "", None)


def test_a_photo_that_ends_its_worker_twice_is_named_and_the_others_are_answered(library: Terminal) -> None:
    done, _ = scan(library, "processes?workers=2", batch_size=4, kills="4.jpg")
    assert done.exit_code == 3
    assert "4.jpg crashed the program that looked at it (SIGKILL), twice" in done.output
    assert waiting(library) == {"burner": 0, "metadata": 0}
    again = library.run("scan", str(library.pictures))
    assert (again.exit_code, "twice" in again.stderr) == (0, False)


def test_an_engine_that_needs_what_no_worker_has_waits_and_the_others_do_not(library: Terminal) -> None:
    with somebodys(plain={"nthreads": 1}) as cluster:
        done, _ = scan(library, address(cluster), gpu=1)
    assert done.exit_code == 4
    assert "has no worker with GPU=1" in done.stderr
    assert waiting(library) == {"burner": len(_PHOTOS), "metadata": 0}


def test_engines_and_pictures_are_for_workers_with_what_they_need(
    library: Terminal, cluster: SpecCluster
) -> None:
    _, known = scan(library, "threads?workers=2")
    done, found = scan(library, address(cluster), gpu=1)
    assert (done.exit_code, done.stderr, difference(known, found)) == (0, "", None)


def test_an_engine_that_is_another_one_on_the_workers_is_put_aside(library: Terminal) -> None:
    done, _ = scan(library, "processes?workers=1", two_faced=True)
    assert done.exit_code == 4
    assert "not the same on the worker" in done.stderr
    assert waiting(library) == {"burner": len(_PHOTOS), "metadata": 0}


def test_a_scheduler_that_is_lost_ends_the_scan_and_the_next_goes_on(
    library: Terminal, cluster: SpecCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    burn = Burner._burn

    def lose(self: Burner, photo: Photo) -> None:  # the workers are in this process
        if photo.name == "4.jpg":
            cut_off(cluster)
        burn(self, photo)

    monkeypatch.setattr(Burner, "_burn", lose)
    done, _ = scan(library, address(cluster))
    assert done.exit_code == 4, done.output
    assert "was lost; start it, and run this again" in done.stderr
    assert waiting(library)["burner"] > 0
    monkeypatch.undo()
    assert library.run("scan", str(library.pictures), "--executor", "threads").exit_code == 0
    assert waiting(library) == {"burner": 0, "metadata": 0}


@pytest.mark.parametrize("command", ["scan", "retag"])
def test_an_executor_that_there_is_not_starts_nothing(library: Terminal, command: str) -> None:
    done = library.run(command, str(library.pictures), "--executor", "dusk://nas")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "`dusk://nas` is no executor" in done.stderr
    assert not (library.folder / "tigertag.db").exists()


def test_retag_has_its_workers_too(library: Terminal) -> None:
    scan(library, "threads")
    done = library.run(
        "retag", str(library.pictures), "--executor", "processes?workers=1", "--engine", "burner"
    )
    assert done.exit_code == 0, done.output
    assert "burner" in done.stdout and waiting(library) == {"burner": 0, "metadata": 0}
