"""Tasks on the machines of a Dask cluster.

Through the scheduler pass only bytes: it needs no TigerTag. A task is bytes that do themselves when a worker
unpickles them; a worker without TigerTag fails at that, and says so. What a lost worker had in hand is not
given to another by Dask: the workshop does that, one photo at a time.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import platform
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeAlias

import dask
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, get_worker
from distributed.comm import CommClosedError

from tigertag import __version__
from tigertag.errors import ConfigError, PluginDown, TigerTagError, WorkerLost
from tigertag.executors import letter
from tigertag.executors.limits import LONGEST
from tigertag.worker import Result, Task, Thing

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that a scheduler may be silent, and that workers with what a task needs may be away."""
CONNECT = 5.0  # Seconds to find a scheduler.
_GLANCE = 1.0  # Seconds between two looks at which workers there are.

_Demand: TypeAlias = frozenset[tuple[str, float]]
"""What a worker must have: (`GPU`, 1)."""
_Offer: TypeAlias = frozenset[tuple[str, float]]
"""What a worker has."""

_INSTALL = f"install what is installed here: pip install 'tigertag[cluster]=={__version__}', and its plugins"


# ── on a worker ───────────────────────────────────────────────────────────────────────────────────────────


def perform(version: str, task: bytes) -> bytes:
    """Does what a letter asks. Limits are set only where no other task could be hit by them."""
    if version != __version__:
        here = f"The worker {platform.node()} has TigerTag {__version__}, not {version}"
        return pickle.dumps(PluginDown(f"{here}: install the same there"))
    return letter.done(task, alone=get_worker().state.nthreads == 1)


def say_version() -> str:
    return __version__


class _Call:
    """Pickled it is bytes; unpickled it is what the function gives."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._call


class _Local(WorkerPlugin):  # type: ignore[misc]  # distributed's classes are not typed
    """Makes a process of this machine a worker of ours: ctrl-c is for the coordinator, and so is the screen."""

    name = "tigertag"

    def setup(self, worker: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _hush()


def _hush() -> None:
    """Dask's own lines on standard error: what a person needs of them is said by us."""
    for name in ("distributed", "distributed.client", "distributed.gc"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


# ── in the coordinator ────────────────────────────────────────────────────────────────────────────────────


def open_local(number: int) -> Cluster:
    """So many worker processes on this machine, of a scheduler in this process. Raises PluginDown."""
    _hush()
    if sys.platform == "linux":  # a worker that is lost is back in half a second
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    try:
        cluster = LocalCluster(
            n_workers=number,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            scheduler_kwargs={"allowed_failures": 0},
        )
    except (TimeoutError, OSError, RuntimeError) as error:
        raise PluginDown(f"Dask cannot start workers on this machine ({error})") from error
    client = Client(cluster, set_as_default=False)
    client.register_plugin(_Local())
    return Cluster(client, "this machine", cluster)


def open_remote(place: str) -> Cluster:
    """The workers of the scheduler at host:port. Raises PluginDown where there are none, ConfigError where one
    cannot do our tasks.
    """
    _hush()
    try:
        client = Client(f"tcp://{place}", timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PluginDown(
            f"No Dask scheduler answers at {place}: start one there (pip install 'tigertag[cluster]', then "
            "`dask scheduler`), or scan without --executor"
        ) from error
    try:
        _check(client, place)
    except BaseException:
        _leave(client)
        raise
    return Cluster(client, place)


def _leave(client: Client) -> None:
    """Closes Dask's client. One that lost its scheduler may fail even at that, and costs nobody an answer."""
    try:
        client.close(timeout=5)
    except (AssertionError, OSError) as error:  # what ended its own connecting anew, or no end in time
        log.debug("Dask's client could not be closed (%r)", error)
        client.status = "closed"  # or it tries again when it is collected, and prints what stops it


def _check(client: Client, place: str) -> None:
    said = client.run(pickle.loads, pickle.dumps(_Call(say_version)), on_error="return")
    if not said:
        raise PluginDown(
            f"No worker is at the Dask scheduler {place}: start one with `dask worker {place} --nthreads 1`"
        )
    faults = [
        f"The Dask worker {worker} has TigerTag {version}, not {__version__}: {_INSTALL}"
        if isinstance(version, str)
        else f"The Dask worker {worker} cannot do TigerTag's tasks ({version}): {_INSTALL}"
        for worker, version in sorted(said.items())
        if version != __version__
    ]
    if faults:
        raise ConfigError(*faults)
    again = client.run_on_scheduler(dask.config.get, "distributed.scheduler.allowed-failures")
    if again:
        log.warning(
            "the Dask scheduler at %s gives what ended a worker to %s more; start it with "
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0",
            place,
            again,
        )


class Cluster:
    """The workers of a Dask scheduler, as many as there are at the moment."""

    is_local = False

    def __init__(self, client: Client, place: str, local: LocalCluster | None = None) -> None:
        self._client, self._local, self._patience = client, local, PATIENCE
        self._name = f"The Dask scheduler at {place}" if local is None else "The Dask scheduler here"
        self._loop: asyncio.AbstractEventLoop = client.loop.asyncio_loop
        self._is_closed = False
        self._lock = threading.Lock()
        self._given: set[Future[Any]] = set()
        self.size = 1
        # From here on only in the loop's thread.
        self._gone: PluginDown | None = None
        self._waiting: dict[asyncio.Future[PluginDown], _Demand] = {}
        self._offers: dict[_Offer, float] = {}
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), self._loop)

    def submit(
        self, task: Task[Thing, Result], things: Sequence[Thing], resources: Mapping[str, float]
    ) -> Future[list[Result | TigerTagError]]:
        """Raises WorkerLost, in the future, where the worker ended, PluginDown where no worker can do it."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the workers have been sent home")
            future = asyncio.run_coroutine_threadsafe(self._run(task, things, resources), self._loop)
            self._given.add(future)
        future.add_done_callback(self._forget)
        return future

    def close(self) -> None:
        """Waits for what runs, then leaves the workers alone; those that were started here end."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            given = list(self._given)
        wait(given)
        self._watching.cancel()
        _leave(self._client)
        if self._local is not None:
            self._local.close(timeout=5)

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._given.discard(future)

    # ── a task ────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(
        self, task: Task[Thing, Result], things: Sequence[Thing], resources: Mapping[str, float]
    ) -> list[Result | TigerTagError]:
        errand = _Call(perform, __version__, await asyncio.to_thread(letter.written, task, things))
        if self._gone is not None:
            raise self._gone
        future = self._client.submit(
            pickle.loads,
            pickle.dumps(errand),
            key=f"{type(task).__name__}-{uuid.uuid4().hex}",
            pure=False,
            retries=0,
            resources=dict(resources) or None,
        )
        try:
            return letter.read(await self._answer(future, frozenset(resources.items())))
        finally:
            future.release()

    async def _answer(self, future: Any, demand: _Demand) -> bytes:
        given_up: asyncio.Future[PluginDown] = self._loop.create_future()
        self._waiting[given_up] = demand
        answer = asyncio.ensure_future(future.result())
        try:
            longest = 2 * LONGEST  # some of it in line
            await asyncio.wait((answer, given_up), timeout=longest, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return bytes(answer.result())
            if not given_up.done():
                raise WorkerLost(f"took longer than {longest} s")
            raise given_up.result()
        except KilledWorker as error:
            where = getattr(error.last_worker, "address", "")
            raise WorkerLost(f"ended the worker that looked at it ({where})") from error
        except (CancelledError, CommClosedError) as error:  # what Dask's futures then end with
            self._gone = self._gone or PluginDown(f"{self._name} was lost; start it, and run this again")
            raise self._gone from error
        except TigerTagError:
            raise
        except Exception as error:  # our tasks raise nothing: it was no task of ours to the worker
            raise PluginDown(f"A Dask worker cannot do TigerTag's tasks ({error}): {_INSTALL}") from error
        finally:
            answer.cancel()
            del self._waiting[given_up]

    # ── the workers ───────────────────────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        """Knows which workers there are, and gives up what none of them can do."""
        connected = time.monotonic()
        while self._gone is None:
            try:
                identity = await asyncio.wait_for(self._client.scheduler.identity(), self._patience)
            except (TimeoutError, OSError):
                self._lose("does not answer any more; run this again when it does")
                return
            if self._client.status == "running":
                connected = time.monotonic()
            elif time.monotonic() - connected > self._patience:  # tasks go by a line of their own
                self._lose("was lost; run this again")
                return
            self._look([(each["nthreads"], each["resources"]) for each in identity["workers"].values()])
            await asyncio.sleep(_GLANCE)

    def _lose(self, what: str) -> None:
        self._gone = PluginDown(f"{self._name} {what}")
        self._give_up(lambda demand: True, self._gone)

    def _look(self, workers: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        self.size = max(1, sum(threads for threads, _ in workers))
        now = time.monotonic()
        self._offers.update((frozenset(has.items()), now) for _, has in workers)
        recent = [dict(offer) for offer, when in self._offers.items() if now - when < self._patience]
        for demand in set(self._waiting.values()):
            if not any(all(has.get(name, 0) >= much for name, much in demand) for has in recent):
                self._give_up(demand.__eq__, self._nobody(demand))

    def _nobody(self, demand: _Demand) -> PluginDown:
        if not demand:
            return PluginDown(f"{self._name} has no workers any more")
        what = ", ".join(f"{name}={much:g}" for name, much in sorted(demand))
        return PluginDown(
            f"{self._name} has no worker with {what}: start one with `dask worker … --resources '{what}'`"
        )

    def _give_up(self, which: Callable[[_Demand], bool], error: PluginDown) -> None:
        for given_up, demand in self._waiting.items():
            if which(demand) and not given_up.done():
                given_up.set_result(error)
