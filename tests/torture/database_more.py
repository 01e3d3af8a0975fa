"""Migrations that are killed (D9, I21), and names that databases like to cut or refuse (D11, I22)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from alembic import command

from tests.store.later import alembic
from tests.torture import database_faults as faults
from tests.torture import state
from tests.torture.kills import Told
from tests.torture.rig import Rig, different_pictures
from tests.torture.trial import Cell, Trial, missed, untried
from tigertag.store import schema
from tigertag.store.database import Database

_FIRST = "0001"
_STRIDES = {"sqlite": 11, "postgresql": 17, "mariadb": 5}
"""MariaDB alone cannot take back a change of a table, so it is tried at more places."""


def migrations(rig: Rig, kind: str) -> Iterator[Trial]:
    """Killed while the tables are made, and while those of the first release are brought up to date."""
    story = Told("first scan", rig, kind)
    story.begin()
    faults.without_tables(rig)
    moments = rig.moments(*story.command, statements=True)
    for moment in range(1, moments.index("before a request"), _STRIDES[kind]):
        story.begin()
        faults.without_tables(rig)
        first = rig.killed(moment, *story.command, statements=True)
        if first.code == -9:
            cell = Cell("database", f"{kind}: killed in a migration", "first")
            yield story.run_again([first], cell, f"moment {moment}, {first.moment}")
    if schema.head() == _FIRST:
        yield untried(Cell("database", f"{kind}: killed in a migration", "upgrade"), "there is one schema only")
        return
    yield from _upgrades(Told("write", rig, kind), kind)


def _upgrades(story: Told, kind: str) -> Iterator[Trial]:
    """`db upgrade` of a database of the first release, with all its answers, killed and run again."""
    rig = story.rig

    def begin() -> None:
        story.begin()
        with Database.open(rig.url) as database, schema.migrating(database) as connection:
            command.downgrade(alembic(connection), _FIRST)

    begin()
    moments = rig.moments("db", "upgrade", statements=True)
    wanted = rig.seen()
    for moment in range(1, len(moments), _STRIDES[kind]):
        begin()
        rig.world.forget()
        killed = rig.killed(moment, "db", "upgrade", statements=True)
        if killed.code != -9:
            continue
        between = rig.run("write")
        last = rig.run("db", "upgrade")
        # The write may have done its work already; what matters is that nothing of before is gone.
        found = rig.seen() if between.code else None
        lost = state.difference(wanted, found) if found else None
        copies = [path for path in rig.home.glob("*.backup-*") if not faults.is_sound(path)]
        yield Trial(
            Cell("database", f"{kind}: killed in a migration", "upgrade"),
            f"moment {moment}, {killed.moment}",
            missed(
                hung=between.hung or last.hung,
                lost=lost or (f"the copy {copies[0].name} is damaged" if copies else None),
                billed="it was billed" if rig.world.imagga.billed else None,
                exit=None if last.code == 0 and between.code in (0, 6) else f"{between.code}, then {last.code}",
                words=None if between.code == 0 or "tigertag db upgrade" in between.err else between.last_words,
            ),
        )


_ODD_FILES = (
    "ä" * 120 + ".jpg",
    "🐯" * 60 + ".jpg",
    "new\nline.jpg",
    'quo\'te "and" 100% & <b>.jpg',
    "e\u0301 decomposed.jpg",
    "\u202eright to left.jpg",
    "back\\slash; DROP TABLE item.jpg",
)
_ODD_TAGS = (
    "n" * 300,
    "Straße",
    "STRASSE",
    "İstanbul",
    "🐯 tiger",
    "nul\0byte",
    "a,b",
    "100%",
    "o'clock",
    "line\nbreak",
    "x" * 4000,
)


def odd_names(rig: Rig, kind: str, wanted: dict[str, dict[str, list[object]]]) -> Iterator[Trial]:
    """Stored whole or named, and on each kind of database the same."""
    rig.put_back(rig.empty)
    plex, imagga = rig.world.plex, rig.world.imagga
    deep = "/".join(f"album {number} " + "d" * 200 for number in range(24))
    for number, content in enumerate(different_pictures(len(_ODD_FILES) + 8)):
        if number >= 8:
            plex.add_photo(deep if number == 9 else "odd", _ODD_FILES[number - 8], content, tags=["Größe 🐯"])
    said = imagga.tags_for
    imagga.tags_for = lambda picture: [(90.0 - place, name) for place, name in enumerate(_ODD_TAGS)]
    try:
        ended = rig.run("scan", "--executor", "threads")
        again = rig.run("scan", "--executor", "threads")
    finally:
        imagga.tags_for = said
    found = rig.seen()
    wanted[kind] = found
    paths = "".join(str(row) for row in found["item"])
    cut = [name for name in _ODD_FILES if _escaped(name) not in paths]
    differs = state.difference(wanted["sqlite"], found)
    cell = Cell("database", f"{kind}: long and odd names", "first scan")
    misses = missed(
        hung=ended.hung,
        lost=(f"not stored whole: {cut[0]!r}" if cut else None)
        or (differs and f"not as on SQLite: {differs}")
        or rig.damage(),
        billed="asked twice" if rig.most_sent() > 1 else None,
        exit=None if {ended.code, again.code} <= {0, 3} else f"{ended.code}, {again.code}: {ended.last_words}",
        words=ended.last_words if "Traceback" in ended.err or "fault in TigerTag" in ended.err else None,
    )
    yield replace(Trial(cell, misses=misses), injected=len(_ODD_FILES) + len(_ODD_TAGS))


def _escaped(name: str) -> str:
    return json.dumps(name)[1:-1]


def over_a_network(story: Told) -> Iterator[Trial]:
    """D12: a warning, no write-ahead log, and a kill loses nothing all the same."""
    for kind in ("nfs4", "cifs", "fuse.sshfs"):
        story.begin()
        logs: list[str] = []
        with story.rig.when("tags", 1, lambda: logs.extend(map(str, story.rig.home.glob("*-wal")))):  # noqa: B023
            ended = story.rig.run(*story.command, file_system=kind)
        warned = "lies on a network file system" in ended.err
        misses = missed(
            hung=ended.hung,
            exit=None if ended.code == 0 else f"{ended.code} for 0: {ended.last_words}",
            words=None if warned else f"no warning: {ended.err[:200]}",
            lost=f"there was {logs}" if logs else state.difference(story.wanted, story.rig.seen()),
        )
        yield Trial(Cell("database", f"sqlite: on {kind}", "first scan"), misses=misses)
    for moment in range(5, len(story.moments), 12):
        story.begin()
        killed = story.rig.killed(moment, *story.command, file_system="nfs4")
        if killed.code == -9:
            cell = Cell("database", "sqlite: on nfs4, SIGKILL", "first scan")
            yield story.run_again([killed], cell, f"moment {moment}")
