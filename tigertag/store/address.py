"""Where the database is: a URL, read once, that can be shown without its password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tigertag.errors import ConfigError

# The one driver for each kind of database; what a URL says of drivers (`+psycopg2` of 2021) is overruled.
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_SECRET_PARAMETER = re.compile("passw|passphrase|pwd|secret|token", re.IGNORECASE)
_ADVICE = (
    "Write sqlite:////folder/tigertag.db, postgresql://user:password@host/name or "
    "mysql://user:password@host/name; characters such as @ and / in a password are written %40 and %2F."
)


@dataclass(frozen=True, slots=True)
class Address:
    """A database's URL with its driver."""

    url: URL
    path: Path | None
    """The file of a SQLite database, absolute; None for a server, and for one in memory."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ConfigError, without the URL: what cannot be read cannot be masked."""
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise ConfigError(f"DB_URL: this is no database URL. {_ADVICE}") from None
        kind = url.drivername.partition("+")[0].lower()
        if kind not in _DRIVERS:
            raise ConfigError(f"DB_URL: {kind!r} is no kind of database that TigerTag knows. {_ADVICE}")
        url = url.set(drivername=_DRIVERS[kind])
        if kind != "sqlite":
            if not url.database:
                raise ConfigError(f"DB_URL: the name of the database is missing. {_ADVICE}")
            return cls(url, None)
        in_memory = not url.database or url.database == ":memory:"
        return cls(url, None if in_memory else Path(str(url.database)).absolute())

    @property
    def is_sqlite(self) -> bool:
        return self.url.drivername == "sqlite"

    @property
    def shown(self) -> str:
        """The URL with its passwords masked."""
        masked = {key: "masked" for key in self.url.query if _SECRET_PARAMETER.search(key)}
        return self.url.update_query_dict(masked).render_as_string(hide_password=True)

    @property
    def name(self) -> str:
        """What a message calls it: the path of a file, the masked URL of a server."""
        return str(self.path) if self.path is not None else self.shown

    def redacted(self, text: str) -> str:
        """`text` in one line without the password, whatever a driver put into it."""
        hidden = (value for key, value in self.url.query.items() if _SECRET_PARAMETER.search(key))
        for secret in (self.url.password, *hidden):
            if secret:
                text = text.replace(str(secret), "***")
        return " ".join(text.split())
