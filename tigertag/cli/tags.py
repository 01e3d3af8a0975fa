"""`tags` and `tags explain`, and the others below `tags`."""

from __future__ import annotations

import click

from tigertag.app.resembling import sureness
from tigertag.app.tags import TagCount, explain
from tigertag.app.tags import tags as look
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, group, subcommand
from tigertag.cli.similar import look_words
from tigertag.cli.tags_add import add
from tigertag.cli.tags_files import export_file, import_file
from tigertag.cli.tags_try import try_it
from tigertag.cli.words import percent, table

_RULES = {
    "engine confidence": "too unsure for the engine",
    "tag confidence": "too unsure for the tag",
    "agreement": "too few engines",
    "engine limit": "over the engine's limit",
    "photo limit": "over the photo's limit",
}


@group(
    "tags",
    examples=(
        "tigertag tags",
        "tigertag tags explain Summer/IMG_2231.jpg",
        "tigertag tags explain Summer/IMG_2231.jpg beach",
        "tigertag tags try other.yaml",
        'tigertag tags try "sailing boat"',
    ),
)
@click.pass_context
def tags(context: click.Context) -> int | None:
    """The tags of the library with counts, and what the policy does to them; `tags explain PHOTO` says why a
    photo has them, or has not.
    """
    shared = context.ensure_object(Shared)
    if context.invoked_subcommand:
        return None
    found = look(open_app(shared))
    if shared.json:
        out_json([row(each) for each in found])
        return 0
    rows = [
        [each.name, each.kind, *_counts(each), ", ".join(each.engines), "; ".join(_remarks(each))]
        for each in found
    ]
    header = ("tag", "kind", "said", "photos", "written", "engines", "policy")
    for line in table(rows, header, right="  rrr") if rows else ["No tags yet: tigertag scan"]:
        out(line.rstrip())
    return 0


for _each in (try_it, look_words, add, import_file, export_file):
    tags.add_command(_each)


def _counts(each: TagCount) -> list[str]:
    return [f"{number:,}" for number in (each.said, each.photos, each.shown)]


def _remarks(each: TagCount) -> list[str]:
    """What the policy does to a tag beside writing it."""
    found = [f"also {', '.join(each.under)}"] if each.under else []
    if not each.said:
        found.append("above others")
    found += [f"{_RULES.get(rule, rule)}: {photos:,}" for rule, photos in each.kept_back.items()]
    return found


@subcommand(
    tags, "explain", examples=("tigertag tags explain Summer/IMG_2231.jpg", "tigertag tags explain 48211 beach")
)
@click.argument("photo")
@click.argument("tag", required=False)
@click.pass_obj
def explain_tags(shared: Shared, photo: str, tag: str | None) -> int:
    """Why a PHOTO has its tags, and why others are not written; with TAG only those like it."""
    app = open_app(shared)
    found = explain(app, photo, tag)
    sure = sureness(app)
    if shared.json:
        out_json(
            [
                row(reason, path=path, calibration=sure[reason.engine].name if reason.engine in sure else None)
                for path, reasons in found
                for reason in reasons
            ]
        )
        return 0
    for path, reasons in found:
        out(visible(path))
        rows = [
            [each.said, _sure(each.confidence), each.engine, _outcome(each.said, each.name, each.outcome)]
            for each in reasons
        ]
        for line in table(rows, right=" r"):
            out(f"  {line}")
        if not rows:
            out("  No engine in force has said so." if tag else "  No engine in force has answered yet.")
        for engine in sorted({each.engine for each in reasons} & sure.keys()):
            out(f"  {engine} is as sure as {sure[engine]} says")
    return 0


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else percent(confidence)


def _outcome(said: str, name: str, outcome: str) -> str:
    return f"{outcome} as {name}" if name != said and outcome == "written" else outcome
