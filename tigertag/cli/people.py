"""`people list` and `people sync`."""

from __future__ import annotations

import click

from tigertag.app.caring import people as look
from tigertag.app.caring import sync_people
from tigertag.cli.opening import open_app
from tigertag.cli.screen import err, out, out_json, row, visible
from tigertag.cli.shared import Shared, group, subcommand
from tigertag.cli.signals import after_this_step
from tigertag.cli.words import table
from tigertag.model import Synced

_NAMED = 20


@group("people", examples=("tigertag people list", "tigertag people sync --dry-run", "tigertag people sync"))
@click.pass_context
def people(context: click.Context) -> int | None:
    """The people that engines know by example pictures."""
    return None if context.invoked_subcommand else _list(context.ensure_object(Shared))


@subcommand(people, "list", examples=("tigertag people list", "tigertag people list --json"))
@click.pass_obj
def list_people(shared: Shared) -> int:
    """The people each engine knows, with the number of their examples."""
    return _list(shared)


def _list(shared: Shared) -> int:
    found = look(open_app(shared))
    if shared.json:
        out_json([row(person, engine=engine) for engine, person in found])
        return 0
    rows = [
        [each.name, engine, f"{each.wanted:,}", f"{each.ours:,}", f"{each.others:,}"] for engine, each in found
    ]
    header = ("person", "engine", "wanted", "added by TigerTag", "others")
    for line in table(rows, header, right="  rrr") if rows else ["No people yet: see faces.yaml.example"]:
        out(line)
    return 0


@subcommand(people, "sync", examples=("tigertag people sync --dry-run", "tigertag people sync"))
@click.option("-n", "--dry-run", is_flag=True, help="Change nothing: only tell what would be.")
@click.pass_obj
def sync(shared: Shared, dry_run: bool) -> int:
    """Bring the examples in line with faces.yaml and the faces folder.

    Only examples that TigerTag added are ever removed. A scan adds what is missing before it asks its
    engines, and removes none; --dry-run tells what would change.
    """
    app = open_app(shared)
    if dry_run:
        return _end(shared, sync_people(app, dry_run=True), "would be ")
    with after_this_step(app):
        found = sync_people(app)
    return _end(shared, found, "")


def _end(shared: Shared, found: list[tuple[str, Synced]], would: str) -> int:
    """Prints what was done. A problem with one picture is one that failed: 3."""
    if shared.json:
        out_json([row(synced, engine=engine) for engine, synced in found])
    elif not shared.quiet:
        for engine, synced in found:
            added, removed = f"{len(synced.added):,} {would}added", f"{len(synced.removed):,} {would}removed"
            out(f"{engine}: {added}, {removed}, {synced.kept:,} kept")
            for sign, names in (("+", synced.added), ("-", synced.removed)):
                for name in names[:_NAMED]:
                    out(f"  {sign} {visible(name)}")
                if len(names) > _NAMED:
                    out(f"  {sign} and {len(names) - _NAMED:,} more")
    problems = [problem for _, synced in found for problem in synced.problems]
    for problem in problems:
        err(f"tigertag: {visible(problem)}")
    return 3 if problems else 0
