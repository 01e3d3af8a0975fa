"""`db upgrade`, `db current`, `db check` and `db backup`."""

from __future__ import annotations

from pathlib import Path

import click

from tigertag.app.caring import backup, check_database, current, upgrade
from tigertag.cli.opening import open_app
from tigertag.cli.screen import err, out, out_json, row, visible
from tigertag.cli.shared import Shared, group, subcommand


@group("db", examples=("tigertag db upgrade", "tigertag db current", "tigertag db check", "tigertag db backup"))
@click.pass_context
def db(context: click.Context) -> int | None:
    """The database in which all answers are kept: upgrade it, ask for its version, check it, copy it."""
    if context.invoked_subcommand:
        return None
    raise click.UsageError("Give upgrade, current, check or backup", context)


@subcommand(db, "upgrade", examples=("tigertag db upgrade",))
@click.pass_obj
def upgrade_database(shared: Shared) -> int:
    """Bring the database to the schema of this TigerTag; a SQLite file is copied first."""
    app = open_app(shared)
    done = upgrade(app)
    if shared.json:
        out_json(
            [
                {
                    "url": app.settings.db_url_shown,
                    "before": done.before,
                    "after": done.after,
                    "backup": _path(done.backup),
                }
            ]
        )
    elif not shared.quiet:
        where = visible(app.settings.db_url_shown)
        if done.before == done.after:
            out(f"{where} is up to date (schema {done.after}).")
        else:
            out(f"{where} now has schema {done.after}{f' (it had {done.before})' if done.before else ''}.")
        if done.backup is not None:
            out(f"A copy as it was: {visible(str(done.backup))}")
    return 0


def _path(backup: object) -> str | None:
    return None if backup is None else str(backup)


@subcommand(db, "current", examples=("tigertag db current",))
@click.pass_obj
def current_schema(shared: Shared) -> int:
    """The schema that the database has, and the one that is needed."""
    found = current(open_app(shared))
    if shared.json:
        out_json([row(found)])
        return 0
    has = f"schema {found.current}" if found.current else "no tables yet"
    needed = "as needed" if found.current == found.needed else f"needed is {found.needed}"
    out(f"{visible(found.url)} has {has}, {needed}.")
    return 0


@subcommand(db, "check", examples=("tigertag db check",))
@click.pass_obj
def check_file(shared: Shared) -> int:
    """Look for damage in the database."""
    app = open_app(shared)
    found = check_database(app)
    if shared.json:
        out_json([{"fault": fault} for fault in found])
    elif not found and not shared.quiet:
        out(f"{visible(app.settings.db_url_shown)} is sound.")
    for fault in found:
        err(f"tigertag: {visible(fault)}")
    return 6 if found else 0


@subcommand(
    db,
    "backup",
    examples=(
        "tigertag db backup                        a copy beside the database, named by the time",
        "tigertag db backup /mnt/nas/tigertag.db   a copy there, where there must be no file yet",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.pass_obj
def back_up(shared: Shared, file: Path | None) -> int:
    """Copy a SQLite database, even while a run is at work, and check the copy.

    A server's database is copied by its own program: the command for that is told.
    """
    made = backup(open_app(shared), file)
    if shared.json:
        out_json([{"backup": str(made), "size": made.stat().st_size}])
    elif not shared.quiet:
        out(f"Copied to {visible(str(made))}. To go back to it, put it in the database's place.")
    return 0
