"""`tags try`, `tags import` and `tags export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from tigertag.app.keywords import export_keywords, import_keywords
from tigertag.app.trying import TagChange, try_vocabulary
from tigertag.cli.opening import open_app
from tigertag.cli.screen import err, out, out_json, row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import counted, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMAT = click.Choice(["lightroom", "digikam"])
_MOST_SHOWN = 20
_NAMES = {"lightroom": "Lightroom keyword list", "digikam": "list of digiKam tag paths"}


@command("try", examples=("tigertag tags try other.yaml",))
@click.argument("file", type=_FILE)
@click.pass_obj
def try_file(shared: Shared, file: Path) -> int:
    """What the vocabulary in FILE would change, before it is used: tags added and removed, with some photos.

    Nothing is written, and no engine is asked.
    """
    found = try_vocabulary(open_app(shared), file)
    _warn(shared, found.warnings)
    if shared.json:
        out_json([row(each) for each in found.tags])
        return 0
    out(f"With {visible(str(file))} {found.changed:,} of {counted(found.photos, 'photo')} would change.")
    header = ("tag", "added", "removed", "such as")
    rows = [[each.name, f"{each.added:,}", f"{each.removed:,}", _such_as(each)] for each in found.tags]
    for line in table(rows, header, right=" rr") if rows else ():
        out(line)
    return 0


def _such_as(each: TagChange) -> str:
    """Photos on both sides, told apart by a sign."""
    signed = [f"+ {path}" for path in each.added_to] + [f"- {path}" for path in each.removed_from]
    return ", ".join(signed[:3])


@command(
    "import",
    examples=("tigertag tags import keywords.txt --dry-run", "tigertag tags import tags.txt --format digikam"),
)
@click.argument("file", type=_FILE)
@click.option("--format", "form", type=_FORMAT, help="What FILE is; without it, what it looks like.")
@click.option("-n", "--dry-run", is_flag=True, help="Change nothing: say what would be added.")
@click.pass_obj
def import_file(
    shared: Shared, file: Path, form: Literal["lightroom", "digikam"] | None, *, dry_run: bool
) -> int:
    """Add the keywords in FILE to your vocabulary: a Lightroom keyword list, or digiKam's tag paths.

    What your vocabulary says already stays as it is, with its comments.
    """
    found = import_keywords(open_app(shared), file, form, dry_run=dry_run)
    if shared.json:
        out_json([{"name": name, "file": str(found.file)} for name in found.added])
        _warn(shared, found.notes)
        return 0
    for note in found.notes[:_MOST_SHOWN]:
        out(f"  {visible(note)}")
    if len(found.notes) > _MOST_SHOWN:
        out(f"  and {counted(len(found.notes) - _MOST_SHOWN, 'note')} like these")
    would = "would be added" if dry_run else "added"
    known = f"; {counted(found.known, 'tag')} it had already" if found.known else ""
    where = visible(str(found.file))
    out(f"{counted(len(found.added), 'tag')} of a {_NAMES[found.form]} {would} to {where}{known}.")
    return 0


@command(
    "export",
    examples=(
        "tigertag tags export --format lightroom > keywords.txt",
        "tigertag tags export --format digikam --library > tags.txt",
    ),
)
@click.option("--format", "form", type=_FORMAT, required=True, help="For which program.")
@click.option(
    "--library", is_flag=True, help="Also the tags that photos have, not only those of the vocabulary."
)
@click.pass_obj
def export_file(shared: Shared, form: Literal["lightroom", "digikam"], *, library: bool) -> int:
    """Print your vocabulary as a keyword list for Lightroom, or as tag paths for digiKam."""
    lines, notes = export_keywords(open_app(shared), form, library=library)
    if shared.json:
        out_json(lines)
    else:
        for line in lines:
            out(line)
    _warn(shared, notes)
    return 0


def _warn(shared: Shared, notes: list[str]) -> None:
    if not shared.quiet:
        for note in notes:
            err(f"tigertag: warning: {visible(note)}")
