"""`DB_URL`: what a person may write, and what the database is opened with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tigertag.config import database, database_url
from tigertag.errors import ConfigError
from tigertag.store.address import Address


def url_of(written: str, cwd: Path) -> str:
    return database_url(environ={"DB_URL": written}, cwd=cwd)


def test_without_one_the_database_is_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert database_url(environ={}, cwd=tmp_path) == f"sqlite:///{tmp_path}/tigertag/tigertag.db"


def test_a_relative_path_starts_at_the_current_folder(tmp_path: Path) -> None:
    assert url_of("sqlite:///data/db/tigertag.db", tmp_path) == f"sqlite:///{tmp_path}/data/db/tigertag.db"
    assert url_of("sqlite:////srv/t.db", tmp_path) == "sqlite:////srv/t.db"


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("postgres://u:p%40ss@h/d", "postgresql+psycopg://u:p%40ss@h/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+psycopg://h/d?sslmode=require"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg://h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d?charset=utf8mb4"),
        ("mariadb://u@h:3307/d?charset=utf8mb4", "mariadb+pymysql://u@h:3307/d?charset=utf8mb4"),
    ],
)
def test_each_kind_of_database_gets_its_driver_and_charset(written: str, full: str, tmp_path: Path) -> None:
    assert url_of(written, tmp_path) == full


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("tigertag.db", "must be a database URL"),
        ("postgresql://u:hunter22@h:hunter23/d", "must be a database URL"),
        ("oracle://u:hunter22@h/d", "must begin with sqlite://, postgresql://, mysql:// or mariadb://"),
        ("sqlite://", "a database in memory would forget"),
        ("sqlite:///:memory:", "a database in memory would forget"),
        ("postgresql://u:hunter22@h", "names no database"),
        ("postgresql://u:hunter22@h:99999/d", "a number from 1 to 65535"),
        ("sqlite://tigertag.db", "behind three slashes"),
        ("sqlite://data/tigertag.db", "behind three slashes"),
        ("sqlite:///file:/srv/t.db?mode=ro&uri=true", "must name the file itself"),
    ],
)
def test_a_url_that_cannot_be_used_is_a_fault_without_its_password(
    written: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        url_of(written, tmp_path)
    assert str(caught.value).startswith("`DB_URL` (environment) ")
    assert why in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_a_missing_driver_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed: pip install tigertag\[postgres\]"):
        url_of("postgresql://h/d", tmp_path)
    with pytest.raises(ConfigError, match=r"not installed: pip install tigertag\[mysql\]"):
        url_of("mariadb://h/d", tmp_path)


def test_without_a_home_the_database_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "data_folder", lambda: Path("~/.local/share/tigertag"))
    with pytest.raises(ConfigError, match="there is no home folder to keep the database in"):
        database_url(environ={}, cwd=tmp_path)
    assert url_of("sqlite:////srv/t.db", tmp_path) == "sqlite:////srv/t.db"


def test_a_file_that_cannot_be_read_stops_the_database_url(tmp_path: Path) -> None:
    """Else a migration would run on the default database because of a typing error."""
    (tmp_path / ".env").write_text("DB_URL 'sqlite:///x.db'\n")
    with pytest.raises(ConfigError, match="line 1 cannot be read"):
        database_url(environ={}, cwd=tmp_path)


def test_passwords_are_masked_wherever_they_stand() -> None:
    shown = database.shown_url("postgresql+psycopg://anna:hunter22@h/d?password=hunter23&sslmode=require")
    assert shown == "postgresql+psycopg://anna:***@h/d?password=***&sslmode=require"


@pytest.mark.parametrize("parameter", ["passwd", "password", "sslpassword", "ssl_key_password"])
def test_a_password_among_the_parameters_is_masked_in_each_of_its_spellings(parameter: str) -> None:
    url = f"mysql+pymysql://anna@h/d?{parameter}=hunter23&charset=utf8mb4"
    assert "hunter23" not in database.shown_url(url)
    assert "hunter23" not in Address.parse(url).shown
    assert "hunter23" not in Address.parse(url).redacted("no hunter23 here")
