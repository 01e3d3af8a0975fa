"""`verdicts` and `verdicts lift`."""

from __future__ import annotations

import click

from tigertag.app.looking import verdicts as look
from tigertag.app.writing import lift_verdicts
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row
from tigertag.cli.shared import Shared, group, subcommand
from tigertag.cli.signals import after_this_step
from tigertag.cli.words import counted, local, table

_WORDS = {"no": "you removed it", "yes": "you added it", "undone": "taken back by undo"}


@group("verdicts", examples=("tigertag verdicts", "tigertag verdicts lift 3 4", "tigertag verdicts lift --all"))
@click.pass_context
def verdicts(context: click.Context) -> int | None:
    """Tags that you removed, or took back, and that therefore stay away; those you added again."""
    shared = context.ensure_object(Shared)
    if context.invoked_subcommand:
        return None
    found = look(open_app(shared))
    if shared.json:
        out_json([row(each) for each in found])
        return 0
    rows = [
        [str(each.id), each.tag, _WORDS.get(each.value, each.value), local(each.at), each.path]
        for each in found
    ]
    for line in (
        table(rows, ("id", "tag", "verdict", "since", "photo"), right="r") if rows else ["No verdicts."]
    ):
        out(line)
    return 0


@subcommand(verdicts, "lift", examples=("tigertag verdicts lift 3 4", "tigertag verdicts lift --all"))
@click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All verdicts.")
@click.pass_obj
def lift(shared: Shared, ids: tuple[int, ...], everything: bool) -> int:
    """Lift verdicts, so that the next `tigertag write` may add those tags again."""
    if bool(ids) == everything:
        raise click.UsageError(
            "Give IDs (`tigertag verdicts` lists them), or --all", click.get_current_context()
        )
    app = open_app(shared)
    known = {each.id for each in look(app)}
    unknown = sorted(set(ids) - known)
    if unknown:
        raise click.UsageError(f"There is no verdict {unknown[0]}", click.get_current_context())
    with after_this_step(app):
        number = lift_verdicts(app, sorted(known) if everything else ids) if known else 0
    if shared.json:
        out_json([{"lifted": number}])
    elif not shared.quiet:
        out(f"{counted(number, 'verdict')} lifted. `tigertag write` adds what is wanted again.")
    return 0
