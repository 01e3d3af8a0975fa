"""`engines`."""

from __future__ import annotations

import click

from tigertag.app.caring import engine_options, is_installed
from tigertag.app.caring import engines as look
from tigertag.cli.opening import open_outline
from tigertag.cli.screen import out, out_json, row
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import table


@command("engines", examples=("tigertag engines", "tigertag engines imagga     its variables"))
@click.argument("name", required=False)
@click.pass_obj
def engines(shared: Shared, name: str | None) -> int:
    """Installed engines and whether they are in use; with NAME the variables of one."""
    if name is not None:
        return _variables(shared, name)
    found = look(open_outline(shared))
    if shared.json:
        out_json([row(each, id=each.name) for each in found])
        return 0
    rows = [
        [each.name, f"in use as {', '.join(each.ids)}" if each.ids else each.why or "not in use", each.path]
        for each in found
    ]
    for line in table(rows):
        out(line)
    return 0


def _variables(shared: Shared, name: str) -> int:
    # One that is installed is told of whatever the settings are like: its variables may be what is wrong there.
    found = engine_options(name, () if is_installed(name) else open_outline(shared).settings.engines)
    if shared.json:
        out_json([row(each, id=each.variable) for each in found])
        return 0
    rows = [[each.variable, "needed" if each.required else each.default, each.text] for each in found]
    for line in table(rows, ("variable", "default", "")):
        out(line)
    return 0
