"""Statements compiled once for each kind of database, not anew for each of the engines that tests open.

SQLAlchemy keeps them for each engine, by the dialect object of that engine. Half of what a small test did was
to compile what the test before it had compiled.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_kept: LRUCache[Any, Any] = LRUCache(2000)


def share() -> None:
    """From here on all engines of this process have one cache, in which dialects of one server are one."""
    Engine._compiled_cache = property(lambda engine: _kept, lambda engine, own: None)  # type: ignore[assignment]
    DefaultDialect.__eq__ = lambda one, other: _kind(one) == _kind(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[assignment, method-assign]


def _kind(dialect: object) -> object:
    return type(dialect), getattr(dialect, "server_version_info", None)
