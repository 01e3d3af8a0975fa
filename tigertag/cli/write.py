"""`write`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tigertag.app.previewing import Difference, WriteOrder, preview
from tigertag.app.scanning import Tally
from tigertag.app.writing import write as run_write
from tigertag.cli import report as wording
from tigertag.cli.ending import end, summarized
from tigertag.cli.opening import insist, open_app
from tigertag.cli.progress import watching
from tigertag.cli.screen import row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.signals import after_this_step
from tigertag.cli.words import counted

_RESTORE = "This writes tags again that are missing where they were written"
_ACCEPT = "This takes tags that are missing where they were written as your wish: they will stay away"


@command(
    "write",
    examples=(
        "tigertag write --dry-run       the exact difference, photo by photo",
        "tigertag write                 after a change of MIN_CONFIDENCE, PREFIX or vocabulary.yaml",
        "tigertag write --verify        read every photo's tags, as after a repair of the server",
        "tigertag write --restore       after the server was restored from an older copy",
    ),
)
@click.option(
    "-n", "--dry-run", is_flag=True, help="Change nothing: print the exact difference per photo and target."
)
@click.option("--verify", is_flag=True, help="Read the tags of all photos, not only of those that are due.")
@click.option("--restore", is_flag=True, help="Write again what is missing: the server was restored.")
@click.option("--accept", is_flag=True, help="Take what is missing as your wish: it stays away.")
@click.option("--wait", is_flag=True, help="Wait while another run is under way.")
@click.pass_obj
def write(shared: Shared, *, dry_run: bool, verify: bool, restore: bool, accept: bool, wait: bool) -> int:
    """Bring the targets in line with the answers that are kept and with your rules.

    No engine is asked, so it costs nothing. What you changed by hand stays as you left it.
    """
    if restore and accept:
        raise click.UsageError("--restore and --accept are opposites: give one", click.get_current_context())
    order = WriteOrder(verify, restore, accept, wait)
    with summarized(shared):
        app = open_app(shared)
        if dry_run:
            differences, tally = preview(app, order)
            end(shared, _preview_lines(differences, tally), _preview_rows(differences, tally), tally)
            return tally.exit_code
        if restore or accept:
            insist(app, _RESTORE if restore else _ACCEPT, "Nothing was written.")
        with after_this_step(app), watching(app, shared, "Writing the tags"):
            report = run_write(app, order)
        end(shared, done(report.run_id, report.tally), rows(report.run_id, report.tally), report.tally)
        return report.exit_code


def done(run_id: int | None, tally: Tally) -> list[str]:
    """What a person reads when something was written."""
    trouble = wording.gone(tally) + wording.failures(tally) + wording.aside(tally)
    if tally.moved and not (tally.added or tally.removed or tally.kept_edits):
        return [f"Done: {counted(tally.moved, 'tag')} moved in the tree.", *trouble]
    if not (tally.added or tally.removed or tally.kept_edits or trouble):
        return ["Nothing to write: everything is in line."]
    if not (tally.added or tally.removed or tally.kept_edits):
        return ["Nothing was written.", *trouble]
    words = "Stopped" if tally.exit_code in (130, 143) else "Done"
    return [f"{words}: {wording.written(tally)}", *trouble, *wording.take_back(run_id, tally)]


def rows(run_id: int | None, tally: Tally) -> list[object]:
    return [*wording.fault_rows(tally), wording.summary(tally, run_id, tally.exit_code)]


def _preview_lines(differences: Sequence[Difference], tally: Tally) -> list[str]:
    lines = []
    for target in dict.fromkeys(each.target for each in differences):
        lines.append(visible(target))
        lines += [_difference(each) for each in differences if each.target == target]
    added, removed = sum(len(each.add) for each in differences), sum(len(each.remove) for each in differences)
    trouble = wording.failures(tally) + wording.aside(tally)
    if not differences:
        return [*trouble, *([] if trouble else ["Nothing to write: everything is in line."])]
    total = f"+{counted(added, 'tag')}, {removed:,} removed on {counted(len(differences), 'photo')}"
    return [*lines, f"{total}. This was a dry run: nothing was written.", *trouble]


def _difference(each: Difference) -> str:
    words = [*(f"+{tag}" for tag in each.add), *(f"-{tag}" for tag in each.remove)]
    words += [f"~{place}" for place in each.move]
    words += [f"({tag} was removed by you and stays away)" for tag in each.refused]
    return f"  {visible(each.path)}  {visible(' '.join(words))}"


def _preview_rows(differences: Sequence[Difference], tally: Tally) -> list[object]:
    found: list[object] = [row(each, type="difference") for each in differences]
    return [*found, *rows(None, tally)]
