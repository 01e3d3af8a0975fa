"""`runs`."""

from __future__ import annotations

import click

from tigertag.app.looking import RunDetail, RunLine, past_runs, run_detail
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import counted, local, table


@command(
    "runs",
    examples=(
        "tigertag runs",
        "tigertag runs 12        every edit of run 12",
        "tigertag runs --limit 100 --json",
    ),
)
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="So many runs."
)
@click.pass_obj
def runs(shared: Shared, run: int | None, limit: int) -> int:
    """Past runs, the newest first; with RUN all that one did."""
    app = open_app(shared)
    if run is not None:
        _show_detail(shared, run_detail(app, run))
        return 0
    found = past_runs(app, limit)
    if shared.json:
        out_json([row(each) for each in found])
        return 0
    header = ("run", "started", "command", "state", "exit", "added", "removed")
    for line in table([_cells(each) for each in found], header, right="r   rrr") if found else ["No runs yet."]:
        out(line)
    return 0


def _cells(each: RunLine) -> list[str]:
    code = "" if each.exit_code is None else str(each.exit_code)
    what = f"{each.command} {each.arguments}".strip()
    return [str(each.id), local(each.started), what, each.state, code, f"+{each.added:,}", f"{each.removed:,}"]


def _show_detail(shared: Shared, found: RunDetail) -> None:
    if shared.json:
        edits = [
            {"path": path, "action": "add" if sign == "+" else "remove", "tag": tag, "state": state}
            for path, sign, tag, state in found.edits
        ]
        out_json([row(found.run) | {"edits": edits}])
        return
    run = found.run
    out(f"Run {run.id}: {visible(f'{run.command} {run.arguments}'.strip())}")
    out(f"  {local(run.started)} to {local(run.ended) or '…'}, {run.state}, exit code {_code(run)}")
    failed = f", {counted(run.failed, 'photo')} failed: tigertag status -v" if run.failed else ""
    out(f"  +{counted(run.added, 'tag')}, {run.removed:,} removed{failed}")
    for line in table(
        [[path, f"{sign}{tag}", "" if state == "done" else state] for path, sign, tag, state in found.edits]
    ):
        out(f"  {line}")


def _code(run: RunLine) -> str:
    return "none" if run.exit_code is None else str(run.exit_code)
