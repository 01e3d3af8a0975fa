"""The database: opened, looked at, and used in transactions. Foreign errors end here."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tigertag.errors import StoreError
from tigertag.store import connect, sqlite_file, versions
from tigertag.store.address import Address
from tigertag.store.faults import Fault, classify, translate, translated

T = TypeVar("T")

# Seconds before each further try: five tries in all, over within four seconds where each fails at once.
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_IN_VAIN_SECONDS = 60.0
"""Where one was tried for longer, the next is tried once: a run that ends has a few of them."""

Pause = Callable[[float], None]


class Database:
    """An open database. Safe to use from several threads; each session belongs to one.

    What a session returns stays usable after it (`expire_on_commit` is off). Do not open a writing session
    inside another one of the same thread: on SQLite there is one writer at a time.
    """

    def __init__(
        self,
        engine: Engine,
        address: Address,
        *,
        read_only: bool = False,
        pause: Pause = time.sleep,
        stop: threading.Event | None = None,
    ) -> None:
        self.engine = engine
        self.address = address
        self.read_only = read_only
        self._pause = pause
        self._stop = stop or threading.Event()
        self._waited_in_vain = False
        self._reads = engine.execution_options(**{connect.READS: True})
        if engine.dialect.name == "postgresql":
            self._reads = self._reads.execution_options(postgresql_readonly=True)
        self._anchor: Connection | None = None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        read_only: bool = False,
        pause: Pause = time.sleep,
        stop: threading.Event | None = None,
    ) -> Database:
        """Opens the database at `url`; `schema.require_current` then makes sure of its schema.

        A missing SQLite file is made, empty, with `create`. With `read_only` nothing is made or changed: where
        there is no database yet, or an empty one, an empty one in memory, at head, stands for it. Once `stop`
        is set, what takes long is not tried again.

        Raises ConfigError for a URL that cannot be used; StoreError where the server does not answer (after
        five tries), the file is no database, a newer TigerTag or that of 2021 made it, or it is missing without
        `create`; DiskError where it cannot be written. Nothing that is refused is touched.
        """
        address = Address.parse(url)
        if address.is_sqlite and not _prepare_file(address, create=create and not read_only):
            if read_only or address.path is None:
                return cls._in_memory(address)
            raise StoreError(f"There is no database at {address.name} yet. `tigertag scan` makes it.")
        # A file is looked at through a read-only connection first, so that what is refused keeps every byte.
        looker = cls(
            connect.engine(address, read_only=True, stop=stop), address, read_only=True, pause=pause, stop=stop
        )
        try:
            found = looker._look()
        except BaseException:
            looker.close()
            raise
        if read_only and found.state is versions.State.EMPTY:
            looker.close()
            return cls._in_memory(address)
        if read_only:
            return looker
        looker.close()
        if address.path is not None:
            sqlite_file.make_writable(address, address.path)
        return cls(connect.engine(address, stop=stop), address, pause=pause, stop=stop)

    @classmethod
    def _in_memory(cls, address: Address) -> Database:
        database = cls(connect.memory_engine(f"tigertag-{uuid.uuid4()}"), address)
        database._anchor = database.engine.connect()
        with database.engine.begin() as connection:
            versions.migrate(connection)
        return database

    def _look(self) -> versions.Found:
        """Raises StoreError for a database that no command may touch."""
        with translated(self.address):
            found = self._insist(self._found)
        refusal = versions.refusal(found, self.address.name)
        if refusal is not None:
            raise refusal
        return found

    def _found(self) -> versions.Found:
        with self._reads.connect() as connection:
            return versions.look(connection)

    @property
    def dialect(self) -> str:
        """`sqlite`, `postgresql`, `mysql` or `mariadb`."""
        return self.engine.dialect.name

    @property
    def url_shown(self) -> str:
        """The URL with its password masked."""
        return self.address.shown

    @property
    def is_stand_in(self) -> bool:
        """Whether this is an empty one in memory, in place of a database that is not there yet."""
        return self._anchor is not None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, rolled back by an error.

        Raises StoreError or DiskError for what the database does; `transact` is for what has to survive a
        deadlock.
        """
        if self.read_only:
            with self.reading() as session:
                yield session
            return
        with translated(self.address), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; it neither waits for a writer nor holds one up.

        On a network file system, where SQLite keeps no write-ahead log, it does both: keep it short. Never
        committed.
        """
        with (
            translated(self.address),
            Session(self._reads, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def transact(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in a transaction of its own and commits it; runs both again, up to five times in all,
        after a deadlock, a failed serialization, a lock, or a connection that broke before the commit.

        `work` must do nothing but read and write the session: no request is ever sent inside one.
        """
        with translated(self.address):
            return self._insist(lambda: self._attempt(work))

    def _attempt(self, work: Callable[[Session], T]) -> T:
        with Session(self.engine, expire_on_commit=False) as session:
            result = work(session)
            session.flush()
            try:
                session.commit()
            except SQLAlchemyError as error:
                # Whether a commit that got no answer took place is not known: never twice.
                if classify(error) is Fault.AWAY:
                    ours = translate(error, self.address)
                    raise ours if ours is not None else error from error
                raise
            return result

    def _insist(self, attempt: Callable[[], T]) -> T:
        pauses = () if self._waited_in_vain else _PAUSES
        began = time.monotonic()
        for seconds in (*pauses, None):
            try:
                result = attempt()
            except SQLAlchemyError as error:
                if classify(error) not in (Fault.BUSY, Fault.AWAY):
                    raise
                if seconds is None or self._is_out_of_time(began):
                    self._waited_in_vain |= time.monotonic() - began > _IN_VAIN_SECONDS
                    raise
                self._pause(seconds * random.uniform(0.5, 1.0))  # jitter: two that collide part ways
            else:
                self._waited_in_vain = False
                return result
        raise AssertionError("the last try returns or raises")

    def _is_out_of_time(self, began: float) -> bool:
        return self._stop.is_set() and time.monotonic() - began > connect.LEFT_SECONDS

    def close(self) -> None:
        """Gives back all connections. A SQLite database that nobody else uses is one file again."""
        if self._anchor is not None:
            self._anchor.close()
        self.engine.dispose()
        if self.address.path is not None and self._anchor is None and not self.read_only:
            sqlite_file.put_to_rest(self.address.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _prepare_file(address: Address, *, create: bool) -> bool:
    """Whether there is a file to open, made if it may be."""
    if address.path is None:
        return False
    if not sqlite_file.is_there(address, address.path):
        if not create:
            return False
        sqlite_file.create(address, address.path)
    sqlite_file.recover(address, address.path)
    return True
