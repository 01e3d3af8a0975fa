"""`tags` and `tags explain`."""

from __future__ import annotations

import click

from tigertag.app.looking import explain
from tigertag.app.looking import tags as look
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, group, subcommand
from tigertag.cli.words import percent, table


@group(
    "tags",
    examples=(
        "tigertag tags",
        "tigertag tags explain Summer/IMG_2231.jpg",
        "tigertag tags explain Summer/IMG_2231.jpg beach",
    ),
)
@click.pass_context
def tags(context: click.Context) -> int | None:
    """The tags of the library with counts; `tags explain PHOTO` says why a photo has them, or has not."""
    shared = context.ensure_object(Shared)
    if context.invoked_subcommand:
        return None
    found = look(open_app(shared))
    if shared.json:
        out_json([row(each) for each in found])
        return 0
    rows = [
        [each.name, each.kind, f"{each.photos:,}", f"{each.shown:,}", ", ".join(each.engines)] for each in found
    ]
    header = ("tag", "kind", "photos", "written", "engines")
    for line in table(rows, header, right="  rr") if rows else ["No tags yet: tigertag scan"]:
        out(line)
    return 0


@subcommand(
    tags, "explain", examples=("tigertag tags explain Summer/IMG_2231.jpg", "tigertag tags explain 48211 beach")
)
@click.argument("photo")
@click.argument("tag", required=False)
@click.pass_obj
def explain_tags(shared: Shared, photo: str, tag: str | None) -> int:
    """Why a PHOTO has its tags, and why others are not written; with TAG only those like it."""
    found = explain(open_app(shared), photo, tag)
    if shared.json:
        out_json([row(reason, path=path) for path, reasons in found for reason in reasons])
        return 0
    for path, reasons in found:
        out(visible(path))
        rows = [
            [each.said, percent(each.confidence), each.engine, _outcome(each.said, each.name, each.outcome)]
            for each in reasons
        ]
        for line in table(rows, right=" r"):
            out(f"  {line}")
        if not rows:
            out("  No engine in force has said so." if tag else "  No engine in force has answered yet.")
    return 0


def _outcome(said: str, name: str, outcome: str) -> str:
    return f"{outcome} as {name}" if name != said and outcome == "written" else outcome
