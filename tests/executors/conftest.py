"""Workers of each kind, started once for each file of tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
import pytest
from distributed import Scheduler, SpecCluster, Worker

from tigertag import executors
from tigertag.pipeline.workshop import Workers

KINDS = {"threads": "threads?workers=2", "processes": "processes?workers=2", "dask": "dask://local?workers=2"}
_HERE = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
LOSABLE = ("processes", "dask")


@pytest.fixture(autouse=True)
def _no_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker in a thread of ours that cannot be closed in 30 s would end the process: the test run."""

    async def close(worker: Worker, reason: str) -> None:
        await worker.close(nanny=False, executor_wait=False, reason=reason)

    monkeypatch.setattr("distributed.worker._force_close", close)


@pytest.fixture(scope="module")
def _all() -> Iterator[dict[str, Workers]]:
    started: dict[str, Workers] = {}
    yield started
    for each in started.values():
        each.close()


def _of(kind: str, started: dict[str, Workers]) -> Workers:
    if kind not in started:
        started[kind] = executors.open_workers(KINDS[kind])
    return started[kind]


@pytest.fixture(params=KINDS)
def workers(request: pytest.FixtureRequest, _all: dict[str, Workers]) -> Workers:
    """Two, of each kind in turn."""
    return _of(request.param, _all)


@pytest.fixture(params=LOSABLE)
def losable(request: pytest.FixtureRequest, _all: dict[str, Workers]) -> Workers:
    """Two, of each kind that can be lost."""
    return _of(request.param, _all)


@contextmanager
def somebodys(**workers: dict[str, Any]) -> Iterator[SpecCluster]:
    """A Dask scheduler that is not ours, with workers by name, in threads of this process: fast to start."""
    started = {
        name: {"cls": Worker, "options": {"name": name, **_HERE, **more}} for name, more in workers.items()
    }
    scheduler = {"cls": Scheduler, "options": {**_HERE, "port": 0}}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        SpecCluster(scheduler=scheduler, workers=started, silence_logs=50) as cluster,
    ):
        yield cluster


def address(cluster: SpecCluster) -> str:
    return str(cluster.scheduler_address).replace("tcp:", "dask:")


def cut_off(cluster: SpecCluster) -> None:
    """Breaks the connections of whoever gives tasks to its scheduler."""

    async def cut() -> None:
        for connection in list(cluster.scheduler.client_comms.values()):
            connection.abort()

    asyncio.run_coroutine_threadsafe(cut(), cluster.loop.asyncio_loop).result()


@pytest.fixture
def cluster() -> Iterator[SpecCluster]:
    """With a worker that has a GPU, and one that has none."""
    with somebodys(fast={"nthreads": 1, "resources": {"GPU": 1}}, plain={"nthreads": 1}) as started:
        yield started


@pytest.fixture
def remote(cluster: SpecCluster) -> Iterator[Workers]:
    """The workers of `cluster`."""
    workers = executors.open_workers(address(cluster))
    yield workers
    workers.close()
