"""`tags import` and `tags export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from tigertag.app.keywords import export_keywords, import_keywords
from tigertag.cli.opening import open_app
from tigertag.cli.screen import err, out, out_json, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import counted

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMAT = click.Choice(["lightroom", "digikam"])
_MOST_SHOWN = 20
_NAMES = {"lightroom": "Lightroom keyword list", "digikam": "list of digiKam tag paths"}


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
        warn(shared, found.notes)
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
    warn(shared, notes)
    return 0


def warn(shared: Shared, notes: list[str]) -> None:
    if not shared.quiet:
        for note in notes:
            err(f"tigertag: warning: {visible(note)}")
