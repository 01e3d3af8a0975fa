"""`config`."""

from __future__ import annotations

import click

from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import table


@command("config", examples=("tigertag config", "tigertag --env-file other.env config --json"))
@click.pass_obj
def config(shared: Shared) -> int:
    """The settings in force, and which file, variable or option each came from. Secrets are masked."""
    found = open_app(shared).settings.shown
    if shared.json:
        out_json([row(each, id=each.name) for each in found])
        return 0
    for line in table([[each.name, each.origin, each.value] for each in found], ("setting", "from", "value")):
        out(line)
    return 0
