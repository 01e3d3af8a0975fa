"""Who may import whom: the table of the design, read from the code itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PLUGINS = ("sources", "engines", "targets")

_SEAM = {"model", "errors", "options", "media", "http"}
_PLUGIN = {*_SEAM, "plexserver"}
ALLOWED: dict[str, set[str]] = {
    "errors": {"model"},  # for types only: at run time it imports nothing
    "model": {"errors"},
    "options": {"model", "errors"},
    "media": _SEAM,
    "http": _SEAM,
    "plexserver": _SEAM,
    "xmp": {"model", "errors"},
    "atlas": {"errors"},
    "blocks": {"media", "model", "errors", "xmp"},
    "replacing": _SEAM,
    "exiftool": _SEAM,
    "sources": _PLUGIN,
    "local": {"model", "errors", "options"},
    "service": {"model", "errors", "options", "http"},
    "meaning": {"model", "errors", "options"},
    "contract": {"model", "errors"},  # tests for plugins' own packages; nothing here imports it
    "engines": {*_PLUGIN, "local", "service", "xmp", "atlas", "blocks", "meaning"},
    "targets": {*_PLUGIN, "xmp", "replacing", "exiftool"},
    "plugins": {"model", "errors", "options"},
    "config": {"model", "errors", "options", "plugins", "vocabulary"},
    "store": {"model", "errors", "meaning"},
    "vocabulary": {"model", "errors"},
    "worker": {"model", "errors", "options", "media", "plugins"},
    "executors": {"model", "errors", "worker", "pipeline"},
    "pipeline": {"model", "errors", "media", "blocks", "store", "vocabulary", "meaning", "worker"},
    "app": {
        *_PLUGIN,
        *PLUGINS,
        "plugins",
        "config",
        "store",
        "pipeline",
        "vocabulary",
        "meaning",
        "worker",
        "executors",
    },
    "cli": {"app", "model", "errors"},
    "__main__": {"cli"},
    "": set(),  # tigertag/__init__.py
    # Opening a database is more than a URL (rights, backups, what is refused), so Alembic opens it as we do.
    "migrations": {"config", "store", "errors"},
}
"""Part of the program → the other parts that it may import."""

STANDARD_ONLY = ("errors", "model")

# Outside the store and the migrations: a session is passed on, a URL is read, nothing is asked of a database.
SQL_ELSEWHERE = {
    "app": {"sqlalchemy.orm.Session"},
    "pipeline": {"sqlalchemy.orm.Session"},
    "config": {
        "sqlalchemy.engine.URL",
        "sqlalchemy.engine.make_url",
        "sqlalchemy.exc.ArgumentError",
    },
}


@dataclass(frozen=True)
class Import:
    """`what` is the dotted name, down to the imported name where there is a `from`."""

    file: Path
    line: int
    what: str

    @property
    def importer(self) -> str:
        return part_of(self.file)

    @property
    def top(self) -> str:
        return self.what.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.what}"


def part_of(file: Path) -> str:
    """`tigertag/store/lock.py` → `store`, `tigertag/model.py` → `model`, `migrations/env.py` → `migrations`."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "migrations":
        return "migrations"
    return "" if parts[1] == "__init__" else parts[1]


def plugin_of(dotted: str) -> str:
    """`tigertag.targets.plex_edits` and `tigertag.targets.plex.x` → `targets.plex`: files of one plugin."""
    kind, _, rest = dotted.removeprefix("tigertag.").partition(".")
    return f"{kind}.{rest.partition('.')[0].partition('_')[0]}"


def files() -> list[Path]:
    return sorted([*(ROOT / "tigertag").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")])


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[Import]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute, so that they can be read"
            yield from (Import(file, node.lineno, f"{node.module}.{name.name}") for name in node.names)


@cache
def every_import() -> list[Import]:
    return [found for file in files() for found in imports(file)]


def imported_part(found: Import) -> str | None:
    """The part of TigerTag that is imported, None for something else."""
    if found.top != "tigertag":
        return None
    part = ([*found.what.split("."), ""])[1]
    is_module = (ROOT / "tigertag" / part).is_dir() or (ROOT / "tigertag" / f"{part}.py").is_file()
    return part if is_module else ""


def test_every_part_of_the_program_has_its_rule() -> None:
    assert {part_of(file) for file in files()} <= ALLOWED.keys()


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    wrong = [
        str(found)
        for found in every_import()
        if found.importer == part and imported_part(found) not in (None, "", part, *ALLOWED[part])
    ]
    assert wrong == []


def test_no_plugin_imports_another() -> None:
    wrong = []
    for found in every_import():
        if found.importer in PLUGINS and imported_part(found) in PLUGINS:
            mine = plugin_of(".".join(found.file.relative_to(ROOT).with_suffix("").parts))
            if plugin_of(found.what) != mine:
                wrong.append(str(found))
    assert wrong == []


@pytest.mark.parametrize("part", STANDARD_ONLY)
def test_the_nouns_need_the_standard_library_only(part: str) -> None:
    wrong = [
        str(found)
        for found in every_import()
        if found.importer == part and found.top not in {*sys.stdlib_module_names, "tigertag"}
    ]
    assert wrong == []


def test_sql_is_only_in_the_store() -> None:
    wrong = [
        str(found)
        for found in every_import()
        if found.top in ("sqlalchemy", "alembic", "sqlite3", "psycopg", "pymysql")
        and found.importer not in ("store", "migrations")
        and found.what not in SQL_ELSEWHERE.get(found.importer, set())
    ]
    assert wrong == []


def test_only_the_configuration_reads_the_environment() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files()
        if part_of(file) != "config"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id)
        in ("environ", "environb", "getenv", "getenvb")
    ]
    assert wrong == []


def test_no_migration_depends_on_the_tables_of_today() -> None:
    wrong = [
        str(found)
        for file in (ROOT / "migrations" / "versions").glob("*.py")
        for found in imports(file)
        if found.top == "tigertag"
    ]
    assert wrong == []
