"""A Dask cluster: what is refused, what runs where, and what becomes of a run when it goes away."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, SpecCluster

from tests.executors.conftest import address, cut_off, somebodys
from tests.executors.tasks import Allowance, Hold, Look, Thing, Where
from tigertag import executors
from tigertag.errors import ConfigError, PluginDown
from tigertag.executors import Place, find
from tigertag.executors import cluster as dask_cluster
from tigertag.pipeline.workshop import Workers

_SECONDS = 60


# ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("processes", Place("processes")),
        ("processes?workers=4", Place("processes", workers=4)),
        ("threads?workers=1", Place("threads", workers=1)),
        ("dask://nas:8787", Place("dask", "nas:8787")),
        ("dask://nas", Place("dask", "nas:8786")),
        ("dask://[::1]:1", Place("dask", "[::1]:1")),
        ("dask://local", Place("dask")),
        ("dask://local?workers=2", Place("dask", workers=2)),
    ],
)
def test_an_address_says_what_runs_where(said: str, meant: Place) -> None:
    assert find(said) == meant


@pytest.mark.parametrize(
    "said",
    [
        "",
        "process",
        "processes?workers=0",
        "processes?workers=x",
        "processes?size=2",
        "processes://nas",
        "dask",
        "dask://",
        "dask://nas:port",
        "dask://nas:8786/path",
        "dask://me@nas",
        "dask://nas?workers=2",
        "tcp://nas:8786",
    ],
)
def test_another_address_is_refused_with_the_ways_to_write_one(said: str) -> None:
    with pytest.raises(ConfigError, match=r"is no executor.*write processes"):
        find(said)


def test_without_dask_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'tigertag\[cluster\]'"):
        find("dask://nas")
    assert find("processes") == Place("processes")


# ── before anything starts ────────────────────────────────────────────────────────────────────────────────


def test_a_scheduler_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT", 0.2)
    with pytest.raises(PluginDown, match=r"at 127\.0\.0\.1:1: .*tigertag\[cluster\]"):
        executors.open_workers("dask://127.0.0.1:1")


def test_a_scheduler_without_workers_is_named() -> None:
    with somebodys() as cluster, pytest.raises(PluginDown, match=r"dask worker .* --nthreads 1"):
        executors.open_workers(address(cluster))


def test_a_worker_without_tigertag_is_named(tmp_path: Path) -> None:
    # An editable install is found through the site module, which -S leaves out.
    libraries = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    with somebodys() as cluster:
        command = [sys.executable, "-S", "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
        more = ["--no-nanny", "--no-dashboard", "--nthreads", "1"]
        worker = subprocess.Popen([*command, *more], cwd=tmp_path, env=libraries, stderr=subprocess.DEVNULL)
        try:
            with Client(cluster, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=_SECONDS)
            with pytest.raises(
                ConfigError, match=r"No module named 'tigertag.*pip install 'tigertag\[cluster\]=="
            ):
                executors.open_workers(address(cluster))
        finally:
            worker.kill()
            worker.wait()


def test_a_worker_with_another_tigertag_is_named(cluster: SpecCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_version() -> str:
        return "0.0.9"

    say_version.__qualname__ = "say_version"
    say_version.__module__ = dask_cluster.__name__
    monkeypatch.setattr(dask_cluster, "say_version", say_version)
    with pytest.raises(ConfigError, match=r"worker tcp://\S+ has TigerTag 0\.0\.9, not"):
        executors.open_workers(address(cluster))


def test_a_worker_with_another_tigertag_that_comes_later_is_refused(
    remote: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = dask_cluster.perform
    monkeypatch.setattr(dask_cluster, "__version__", "0.0.9")

    class Newer(dask_cluster._Call):
        def __reduce__(self) -> tuple[Any, ...]:
            return perform, ("0.1.0", b"")

    monkeypatch.setattr(dask_cluster, "_Call", Newer)
    with pytest.raises(PluginDown, match=r"has TigerTag 0\.0\.9, not 0\.1\.0"):
        remote.submit(Look(), [Thing("a")], {}).result(_SECONDS)


def test_a_scheduler_that_repeats_what_killed_is_told_of(
    cluster: SpecCluster, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        executors.open_workers(address(cluster)).close()
        assert not caplog.messages
        with dask.config.set({"distributed.scheduler.allowed-failures": 3}):
            executors.open_workers(address(cluster)).close()
    assert "to 3 more; start it with DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0" in caplog.text


# ── what runs where ───────────────────────────────────────────────────────────────────────────────────────


def test_what_needs_a_resource_runs_where_it_is(remote: Workers) -> None:
    futures = [remote.submit(Where(), [1], {"GPU": 1}) for _ in range(6)]
    assert {future.result(_SECONDS)[0] for future in futures} == {"fast"}


def test_what_needs_a_resource_that_nobody_has_is_told_and_the_rest_goes_on(remote: Workers) -> None:
    with pytest.raises(PluginDown, match=r"no worker with TPU=2.*--resources 'TPU=2'"):
        remote.submit(Where(), [1], {"TPU": 2}).result(_SECONDS)
    assert remote.submit(Look(), [Thing("a")], {}).result(_SECONDS) == ["A"]


@pytest.mark.parametrize(("threads", "is_limited"), [(1, True), (2, False)])
def test_limits_are_set_where_no_other_task_could_be_hit_by_them(threads: int, is_limited: bool) -> None:
    with somebodys(one={"nthreads": threads}) as cluster:
        workers = executors.open_workers(address(cluster))
        (allowed,) = workers.submit(Allowance(), [1], {}).result(_SECONDS)
        workers.close()
    assert (allowed != -1) == is_limited


# ── what goes away ────────────────────────────────────────────────────────────────────────────────────────


def test_a_scheduler_that_is_lost_is_told_and_nothing_waits_for_it(
    cluster: SpecCluster, remote: Workers
) -> None:
    Hold.begun.clear()
    Hold.go.clear()
    held = remote.submit(Hold(), ["a"], {})
    assert Hold.begun.wait(_SECONDS)
    cut_off(cluster)
    with pytest.raises(PluginDown, match="was lost"):
        held.result(_SECONDS)
    Hold.go.set()
    with pytest.raises(PluginDown, match="was lost"):
        remote.submit(Look(), [Thing("a")], {}).result(_SECONDS)


@pytest.fixture
def unreachable(cluster: SpecCluster, remote: Workers, monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Workers whose line is cut, and whose client fails as Dask's does at an answer it did not expect."""
    tried = threading.Event()

    async def fail(client: Client, timeout: float | None = None) -> None:
        tried.set()
        raise AssertionError

    monkeypatch.setattr(Client, "_ensure_connected", fail)
    cut_off(cluster)
    assert tried.wait(_SECONDS)
    return remote


def test_a_client_that_cannot_connect_anew_is_left_in_silence(
    unreachable: Workers, capfd: pytest.CaptureFixture[str]
) -> None:
    unreachable.close()
    del unreachable
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_nothing_waits_for_a_line_that_stays_cut_while_the_scheduler_answers(unreachable: Workers) -> None:
    unreachable._patience = 0.1  # type: ignore[attr-defined]
    with pytest.raises(PluginDown, match="was lost; run this again"):
        unreachable.submit(Look(), [Thing("a")], {}).result(_SECONDS)


def test_workers_that_do_not_come_back_are_not_waited_for(cluster: SpecCluster, remote: Workers) -> None:
    assert remote.submit(Look(), [Thing("a")], {}).result(_SECONDS) == ["A"]
    remote._patience = 0.1  # type: ignore[attr-defined]
    cluster.scale(0)
    cluster.sync(cluster._correct_state)
    with pytest.raises(PluginDown, match="has no workers any more"):
        remote.submit(Look(), [Thing("a")], {}).result(_SECONDS)
