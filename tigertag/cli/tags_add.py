"""`tags add`."""

from __future__ import annotations

import click

from tigertag.app.adding import add_tag
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.tags_files import warn


@command(
    "add",
    examples=(
        'tigertag tags add "sailing boat"',
        'tigertag tags add whiteboard --prompt "a photo of a whiteboard" --prompt "writing on a whiteboard"',
        'tigertag tags add "by night" --group daytime --threshold 70',
    ),
)
@click.argument("name")
@click.option(
    "--prompt", "prompts", multiple=True, help="What the model is asked in its place; may be repeated."
)
@click.option("--group", default="", help="Of the tags of a group only the most probable is found.")
@click.option(
    "--threshold", type=click.FloatRange(0, 100), metavar="PERCENT", help="How sure it must be, in percent."
)
@click.option("-n", "--dry-run", is_flag=True, help="Change nothing: say what would be.")
@click.pass_obj
def add(
    shared: Shared, name: str, prompts: tuple[str, ...], group: str, threshold: float | None, *, dry_run: bool
) -> int:
    """Put a NAME into your vocabulary, to be looked for in photos. What stands there stays, with its comments.

    No photo is looked at again: see it with `tigertag tags try NAME`, then `tigertag write`.
    """
    least = None if threshold is None else threshold / 100
    found = add_tag(open_app(shared), name, prompts, group, least, dry_run=dry_run)
    if shared.json:
        out_json([{"name": name, "outcome": found.outcome, "file": str(found.file), "new": found.is_new_file}])
        warn(shared, found.notes)
        return 0
    where = visible(str(found.file))
    if found.outcome == "known":
        out(f"{where} says this of {visible(name)} already.")
    else:
        done = ("would be " if dry_run else "") + found.outcome
        news = ", a new file" if found.is_new_file else ""
        out(f"{visible(name)} {done} in {where}{news}. Next: tigertag tags try {_quoted(name)}, tigertag write")
    warn(shared, found.notes)
    return 0


def _quoted(name: str) -> str:
    return f'"{visible(name)}"' if " " in name else visible(name)
