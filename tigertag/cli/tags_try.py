"""`tags try`: what another vocabulary would change, or which photos words fit."""

from __future__ import annotations

from pathlib import Path

import click

from tigertag.app.trying import TagChange, try_vocabulary
from tigertag.cli import similar
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.tags_files import warn
from tigertag.cli.words import counted, table

_FILES = (".yaml", ".yml")


@command("try", examples=("tigertag tags try other.yaml", 'tigertag tags try "sailing boat" --sheet boats.png'))
@click.argument("what", metavar="FILE|WORDS")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="WORDS: how sure it must be, in percent.",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="WORDS: photos to show of each kind."
)
@click.option("--sheet", type=similar.SHEET, help="WORDS: draw the photos on a contact sheet, a PNG file.")
@click.pass_obj
def try_it(shared: Shared, what: str, threshold: float | None, limit: int, sheet: Path | None) -> int:
    """What the vocabulary in FILE would change, before it is used: tags added and removed, with some photos.

    WORDS that are no file are looked for in the photos, as `tags look` does. Nothing is written.
    """
    file = Path(what).expanduser()
    if file.is_file() or file.suffix.lower() in _FILES:
        return _try_file(shared, file)
    return similar.look(shared, what, threshold, limit, sheet)


def _try_file(shared: Shared, file: Path) -> int:
    found = try_vocabulary(open_app(shared), file)
    warn(shared, found.warnings)
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
