"""`scan` and `retag`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tigertag.app.context import App
from tigertag.app.forecast import forecast
from tigertag.app.retagging import RetagOrder
from tigertag.app.retagging import retag as ask_again
from tigertag.app.scanning import Choice, ScanOrder, ScanReport
from tigertag.app.scanning import scan as run_scan
from tigertag.cli import report as wording
from tigertag.cli.ending import end, summarized
from tigertag.cli.opening import open_app
from tigertag.cli.progress import watching
from tigertag.cli.shared import Shared, command
from tigertag.cli.signals import after_this_step


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """The moment that an option names: the end of it for `--until`, the beginning for `--since`."""
    if value is None:
        return None
    try:
        return moment_of(value, last=parameter.name == "until")
    except (ValueError, OverflowError) as error:
        said = f"`{value}` is no date such as 2021-03-15, 2021-03 or 2021-03-15T18:30"
        raise click.BadParameter(said, context, parameter) from error


def moment_of(text: str, *, last: bool = False) -> datetime:
    """A day, a month or a year in local time, or a full ISO date and time; in UTC.

    `last` gives the end of what is named: who says `--until 2021-03` means all of March. Raises ValueError for
    what is no date.
    """
    parts = text.strip().split("-")
    if "T" in text or " " in text.strip():
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    if len(parts) > 3 or not all(part.isdigit() for part in parts):
        raise ValueError(text)
    numbers = [int(part) for part in parts]
    day = date(*[*numbers, 1, 1][:3])
    if last:
        day = _next(day, len(numbers))
    return datetime(day.year, day.month, day.day).astimezone(UTC)


def _next(day: date, precision: int) -> date:
    if precision == 3:
        return day + timedelta(days=1)
    months = day.year * 12 + (day.month if precision == 2 else 12)
    return date(months // 12, months % 12 + 1, 1)


def _paths(context: click.Context, parameter: click.Parameter, value: str | None) -> frozenset[str] | None:
    """The lines of a file, `-` for standard input."""
    if value is None:
        return None
    try:
        raw = sys.stdin.buffer.read() if value == "-" else Path(value).expanduser().read_bytes()
    except OSError as error:
        raise click.BadParameter(f"`{value}` cannot be read ({error.strerror})", context, parameter) from error
    lines = raw.decode("utf-8", "surrogateescape").splitlines()
    return frozenset(line for line in (each.strip("\r") for each in lines) if line.strip())


_on_executor = click.option(
    "--executor",
    metavar="WHERE",
    help="Where pictures are prepared and engines compute: processes (the default), processes?workers=4, "
    "threads, dask://host:8786 or dask://local?workers=4.",
)


@command(
    "scan",
    examples=(
        "tigertag scan                          everything that is set up",
        "tigertag scan ~/Pictures --limit 20    twenty photos of a folder",
        'tigertag scan "Holiday photos"         one Plex section',
        "tigertag scan --dry-run                what would be asked, and what leaves the house",
        "tigertag scan --since 2021-06 --engine imagga --no-write",
        "find . -newer last | tigertag scan . --files-from -",
    ),
)
@click.argument("places", nargs=-1, metavar="[SECTION|PATH]...")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Ask no engine and change nothing: only tell what would be."
)
@click.option("--no-write", is_flag=True, help="Ask the engines and keep the answers; write no tags.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take up N photos at most.")
@click.option("--engine", "engines", multiple=True, metavar="ID", help="Only this engine; may be repeated.")
@click.option(
    "--order",
    type=click.Choice(["newest", "oldest", "path"]),
    help="Which photos come first; newest by default.",
)
@click.option(
    "--since", callback=_moment, metavar="DATE", help="Only photos of that day, month, time or later."
)
@click.option("--until", callback=_moment, metavar="DATE", help="Only photos up to and with that day or month.")
@click.option(
    "--files-from",
    "paths",
    callback=_paths,
    metavar="FILE",
    help="Only photos named in FILE, one a line; - is stdin.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what failed before.")
@click.option("--videos", is_flag=True, help="Look at videos and clips, too, with tigertag[video].")
@_on_executor
@click.option("--wait", is_flag=True, help="Wait while another run is under way.")
@click.pass_obj
def scan(shared: Shared, /, *, dry_run: bool, **asked: Any) -> int:
    """Find new and changed photos, ask the engines, write the tags.

    Without a SECTION or PATH everything that is set up is scanned. A photo that was answered is not asked about
    again, so a second scan costs nothing. Dates are those that a listing shows: in Plex when a photo was taken,
    in a folder when its file was last changed.
    """
    choice = Choice(**{name: asked[name] for name in ("limit", "since", "until", "paths", "retry_failed")})
    order = ScanOrder(
        places=asked["places"],
        engines=asked["engines"],
        choice=choice,
        order=asked["order"],
        write=not asked["no_write"],
        wait=asked["wait"],
        sure=shared.yes,
        videos=asked["videos"],
    )
    with summarized(shared):
        app = open_app(shared)
        app.run_on(asked["executor"])
        if dry_run:
            return _end(shared, forecast(app, order), wording.forecast)
        report = _run(app, shared, lambda: run_scan(app, order))
        return _end(shared, report, lambda each: [*wording.lines(each, wrote=order.write), *_hint(app, each)])


def _hint(app: App, report: ScanReport) -> list[str]:
    """What became of the photos, and where to go on from a first look at a folder."""
    if not report.tally.added or not app.is_first_look:
        return []
    return [
        "Your photos are as they were: nothing was written into them, or beside them",
        "Next: all tags with counts: tigertag tags; all that is known of one photo: tigertag show PHOTO",
        "      what is in a picture, by a model at home: tigertag engines openai; by a service: engines imagga",
        "      TARGET_XMP_NAME=xmp in .env writes sidecars, PLEX_URL and PLEX_TOKEN write to Plex",
    ]


@command(
    "retag",
    examples=(
        "tigertag retag ~/Pictures/2021",
        "tigertag retag --engine compreface     after adding faces of many people",
        "tigertag retag Summer/IMG_2231.jpg --engine imagga --yes",
    ),
)
@click.argument("places", nargs=-1, metavar="[SECTION|PATH|PHOTO]...")
@click.option("--engine", "engines", multiple=True, metavar="ID", help="Only this engine; may be repeated.")
@_on_executor
@click.option("--wait", is_flag=True, help="Wait while another run is under way.")
@click.pass_obj
def retag(shared: Shared, /, *, executor: str | None, **asked: Any) -> int:
    """Ask again about photos that were answered.

    Without a SECTION, PATH or PHOTO that is all of them. Old answers stay until the new ones are there. An
    engine that charges is asked again only with a yes: on a terminal you are asked, elsewhere give --yes.
    """
    order = RetagOrder(**asked, sure=shared.yes)
    with summarized(shared):
        app = open_app(shared)
        app.run_on(executor)
        return _end(shared, _run(app, shared, lambda: ask_again(app, order)), wording.lines)


def _run(app: App, shared: Shared, run: Callable[[], ScanReport]) -> ScanReport:
    with after_this_step(app), watching(app, shared, "Looking for photos"):
        return run()


def _end(shared: Shared, report: ScanReport, words: Callable[[ScanReport], Sequence[str]]) -> int:
    end(shared, words(report), wording.rows(report), report.tally)
    return report.exit_code
