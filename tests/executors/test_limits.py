"""What a task that decodes may take of a process."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from tests.executors.tasks import Burn, Decode, Look, Swell, Thing, Tighten
from tests.plugins_for_tests import Burner
from tigertag.errors import PhotoError, WorkerLost
from tigertag.executors import limits, open_workers
from tigertag.model import fingerprint
from tigertag.pipeline.workshop import Workers
from tigertag.worker import Ask, AskFile, Blueprint, Parcel, Said

_MIB = 1 << 20
_SECONDS = 60


@pytest.fixture
def strict() -> Iterator[Workers]:
    """One process, which gives a task that decodes a second or two and 64 MiB."""
    workers = open_workers("processes?workers=1")
    workers.submit(Tighten(0, 64 * _MIB), [1], {}).result(_SECONDS)
    yield workers
    workers.close()


def test_a_picture_that_takes_too_long_ends_its_worker(strict: Workers) -> None:
    with pytest.raises(WorkerLost, match="took too much processor time"):
        strict.submit(Burn(), [1], {}).result(_SECONDS)
    assert strict.submit(Look(), [Thing("a")], {}).result(_SECONDS) == ["A"]


def test_a_picture_that_takes_too_much_memory_is_told_and_the_worker_goes_on(strict: Workers) -> None:
    with pytest.raises(RuntimeError, match="MemoryError"):
        strict.submit(Swell(), [256 * _MIB], {}).result(_SECONDS)
    assert strict.submit(Swell(), [16 * _MIB], {}).result(_SECONDS) == [16 * _MIB]


def test_limits_are_of_a_task_and_not_of_all_together(strict: Workers) -> None:
    """What a worker decoded before is no part of it, nor what runs without limits."""
    for _ in range(3):
        assert strict.submit(Swell(), [48 * _MIB], {}).result(_SECONDS) == [48 * _MIB]
        assert strict.submit(Decode(), [Thing("a")], {}).result(_SECONDS) == ["A"]


def test_an_engine_that_reads_the_file_has_the_same_limits_and_one_that_looks_has_none(
    strict: Workers,
) -> None:
    made = Burner.Options.model_validate({"milliseconds": 2_500, "says": "nothing"})
    blueprint = Blueprint(
        "tests.plugins_for_tests.Burner", made, fingerprint(dict(Burner(made, None).settings))
    )
    photo = Parcel("a.jpg", "jpeg1:0", "", 8, 8)
    with pytest.raises(WorkerLost, match="took too much processor time"):
        strict.submit(AskFile(blueprint), [photo], {}).result(_SECONDS)
    assert strict.submit(Ask(blueprint), [photo], {}).result(_SECONDS) == [Said(())]


def test_a_file_that_an_engine_needs_too_much_memory_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def swell(task: Ask, photos: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Ask, "__call__", swell)
    (outcome,) = AskFile(Blueprint("metadata", Burner.Options.model_validate({}), ""))(
        [Parcel("a.jpg", "jpeg1:0", "", 8, 8)]
    )
    assert isinstance(outcome, PhotoError)
    assert str(outcome) == "a.jpg takes too much memory to be read"


def test_limits_that_overlap_in_a_process_are_all_taken_back() -> None:
    """Two workers of Dask may live in one process: what the other lowered is no limit to return to."""
    before = [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]
    first, second = limits.limited(), limits.limited()
    first.__enter__()
    try:
        assert resource.getrlimit(resource.RLIMIT_CPU) != before[0]
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        assert [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS)] == before
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, before[0])
        resource.setrlimit(resource.RLIMIT_AS, before[1])
