"""`check`."""

from __future__ import annotations

import click

from tigertag.app.caring import CheckLine
from tigertag.app.caring import check as look
from tigertag.cli import faults
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, visible
from tigertag.cli.shared import Shared, command
from tigertag.errors import ConfigError, gravest


@command("check", examples=("tigertag check", "tigertag check && tigertag scan", "tigertag check --json"))
@click.pass_obj
def check(shared: Shared) -> int:
    """Test sources, engines, targets and database, and say what to do about what is wrong.

    Nothing is changed and nothing is billed. All mistakes in the settings are named at once.
    `tigertag doctor` is the same.
    """
    try:
        app = open_app(shared)
    except ConfigError as error:
        if shared.json:
            out_json([_fault(line) for line in faults.lines(error)])
        raise
    found = look(app)
    if shared.json:
        out_json([_row(each) for each in found])
    else:
        _print(found, shared)
    return gravest(each.exit_code for each in found)


def _print(found: list[CheckLine], shared: Shared) -> None:
    width = max((len(each.what) for each in found), default=0)
    for each in found:
        if each.finding.ok and shared.quiet:
            continue
        out(f"{'ok' if each.finding.ok else '!!'}  {visible(each.what):<{width}}  {visible(each.finding.text)}")
        if each.finding.advice:
            out(f"    {'':<{width}}  → {visible(each.finding.advice)}")


def _row(each: CheckLine) -> dict[str, object]:
    family, _, name = each.what.partition(" ")
    return {
        "id": each.what,
        "part": family,
        "name": name,
        "ok": each.finding.ok,
        "text": each.finding.text,
        "advice": each.finding.advice,
        "exit_code": each.exit_code,
    }


def _fault(line: str) -> dict[str, object]:
    return {
        "id": "settings",
        "part": "settings",
        "name": "",
        "ok": False,
        "text": line,
        "advice": "",
        "exit_code": 2,
    }
