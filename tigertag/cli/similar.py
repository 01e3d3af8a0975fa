"""`similar`, and `tags look`: searching what photos show."""

from __future__ import annotations

from pathlib import Path

import click

from tigertag.app.contact_sheet import draw
from tigertag.app.context import App
from tigertag.app.resembling import Match, Searched, look_for
from tigertag.app.resembling import similar as look_like
from tigertag.cli.opening import open_app
from tigertag.cli.screen import err, out, out_json, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import counted, percent, table

SHEET = click.Path(dir_okay=False, path_type=Path)


@command(
    "similar", examples=("tigertag similar Summer/IMG_2231.jpg", "tigertag similar 48211 --sheet like.png")
)
@click.argument("photo")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="Photos to show.")
@click.option("--sheet", type=SHEET, help="Draw them on a contact sheet, a PNG file.")
@click.pass_obj
def similar(shared: Shared, photo: str, limit: int, sheet: Path | None) -> int:
    """The photos that show most nearly what PHOTO shows, by the vectors of the engine clip."""
    app = open_app(shared)
    found = look_like(app, photo, limit)
    _tell(shared, found, f"{counted(found.photos, 'photo')} compared with {visible(photo)}.")
    _draw(app, found, sheet)
    return 0


@command(
    "look",
    examples=('tigertag tags look "sailing boat"', "tigertag tags look dog --threshold 80 --sheet dog.png"),
)
@click.argument("words")
@click.option(
    "--threshold", type=click.FloatRange(0, 100), metavar="PERCENT", help="How sure it must be, in percent."
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="Photos to show of each kind."
)
@click.option("--sheet", type=SHEET, help="Draw them on a contact sheet with the threshold, a PNG file.")
@click.pass_obj
def look_words(shared: Shared, words: str, threshold: float | None, limit: int, sheet: Path | None) -> int:
    """Which photos WORDS fit: the best, and those around the threshold. Nothing is written, no photo opened."""
    return look(shared, words, threshold, limit, sheet)


def look(shared: Shared, words: str, threshold: float | None, limit: int, sheet: Path | None) -> int:
    """The same, for other commands that do it."""
    app = open_app(shared)
    found = look_for(app, words, limit, None if threshold is None else threshold / 100)
    where = f"{found.fitting:,} of {counted(found.photos, 'photo')} at {percent(found.threshold)}"
    head = f"{visible(words)} fits {where}.\nHow sure that is says {found.sureness}."
    _tell(shared, found, head)
    _draw(app, found, sheet)
    return 0


def _tell(shared: Shared, found: Searched, head: str) -> None:
    if shared.json:
        out_json([_row(each, found) for each in found.matches])
        return
    out(head)
    rows = [
        [
            visible(each.path),
            "" if each.probability is None else percent(each.probability),
            f"{each.cosine:.3f}",
            "" if each.fits else "below the threshold",
        ]
        for each in found.matches
    ]
    for line in table(rows, ("photo", "sure", "cosine", ""), right=" rr") if rows else ():
        out(line.rstrip())


def _row(each: Match, found: Searched) -> dict[str, object]:
    return {
        "path": each.path,
        "cosine": round(each.cosine, 4),
        "probability": None if each.probability is None else round(each.probability, 4),
        "fits": each.fits,
        "calibration": found.sureness.name if found.sureness else None,
    }


def _draw(app: App, found: Searched, sheet: Path | None) -> None:
    if sheet is None:
        return
    lacking = draw(app, found, sheet)
    if lacking:
        err(f"tigertag: {counted(lacking, 'photo')} could not be opened for the sheet")
