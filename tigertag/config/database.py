"""`DB_URL`: what a person writes, and what SQLAlchemy is given."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tigertag.config.environment import expanded, mask

_EXAMPLE = "sqlite:////path/to/tigertag.db or postgresql://user:password@host/tigertag"

_DRIVERS = {
    "sqlite": ("sqlite", "sqlite3", ""),
    "postgres": ("postgresql+psycopg", "psycopg", "postgres"),
    "postgresql": ("postgresql+psycopg", "psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "pymysql", "mysql"),
}
"""The kind as written → SQLAlchemy's scheme, the module it needs, the extra that brings it.

There is one driver for each kind; another that a URL names is overruled.
"""


def data_folder() -> Path:
    """The user's data folder for TigerTag; not absolute where the user has no home."""
    return user_data_path("tigertag", appauthor=False)


def default_url() -> str:
    """SQLite in the user's data folder. Raises ValueError where the user has none."""
    folder = data_folder()
    if not folder.is_absolute():
        raise ValueError("is missing, and there is no home folder to keep the database in: set it to a file")
    return URL.create("sqlite", database=str(folder / "tigertag.db")).render_as_string(hide_password=False)


def full_url(written: str, cwd: Path) -> str:
    """The URL with its driver, its charset and an absolute path, for `create_engine`.

    Raises ValueError with the end of a sentence that begins with the variable; it never holds the URL.
    """
    try:
        url = make_url(written.strip())
    except (ArgumentError, ValueError):
        raise ValueError(
            f"must be a database URL such as {_EXAMPLE}; "
            "in a password @ is written as %40, : as %3A, / as %2F and % as %25"
        ) from None  # What SQLAlchemy says may quote the password.
    scheme, module, extra = _DRIVERS.get(url.drivername.partition("+")[0].lower(), ("", "", ""))
    if not scheme:
        raise ValueError("must begin with sqlite://, postgresql://, mysql:// or mariadb://")
    if find_spec(module) is None:
        raise ValueError(f"needs a driver that is not installed: pip install tigertag[{extra}]")
    return _completed(url.set(drivername=scheme), cwd).render_as_string(hide_password=False)


def shown_url(url: str) -> str:
    """The URL for people: the password and secret parameters masked."""
    return mask_query(make_url(url).render_as_string(hide_password=True))


def mask_query(shown: str) -> str:
    """Masks what a parameter hides; the user's name stays, its password is masked already."""
    before, question, query = shown.partition("?")
    return before + mask(question + query)


def _completed(url: URL, cwd: Path) -> URL:
    if url.drivername != "sqlite":
        if not url.database:
            raise ValueError(f"names no database: {_EXAMPLE} is expected")
        if url.port is not None and not 0 < url.port < 65536:
            raise ValueError("names a port that there cannot be: it is a number from 1 to 65535")
        is_postgres = url.drivername.startswith("postgresql")
        # MariaDB's and MySQL's `utf8` cannot hold every sign of a tag.
        return url if is_postgres or "charset" in url.query else url.update_query_dict({"charset": "utf8mb4"})
    if url.host or (url.database or "").startswith("file:"):
        raise ValueError(
            "must name the file itself, behind three slashes: sqlite:///tigertag.db in the current folder, "
            "sqlite:////folder/tigertag.db elsewhere"
        )
    if not url.database or url.database == ":memory:":
        raise ValueError("must name a file: a database in memory would forget what was paid for")
    return url.set(database=str(expanded(url.database, cwd)))
