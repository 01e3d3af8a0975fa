"""`undo`."""

from __future__ import annotations

import click

from tigertag.app.context import App
from tigertag.app.scanning import Tally
from tigertag.app.writing import UndoOrder, UndoPreview, WriteReport, preview_undo
from tigertag.app.writing import undo as run_undo
from tigertag.cli.ending import end, summarized
from tigertag.cli.opening import insist, open_app
from tigertag.cli.progress import watching
from tigertag.cli.screen import visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.signals import after_this_step
from tigertag.cli.words import counted
from tigertag.cli.write import done, rows


@command(
    "undo",
    examples=(
        "tigertag undo --last --dry-run     what the last run wrote, and what would go",
        "tigertag undo 12                   take back run 12 (`tigertag runs` lists them)",
        "tigertag undo --engine imagga      all that only Imagga wanted",
        "tigertag undo --tag blurry         one tag everywhere",
        "tigertag undo --all --yes          everything TigerTag ever wrote",
        "tigertag undo --last --redo        bring back what the last undo took",
    ),
)
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.option("--last", is_flag=True, help="The last run that wrote; with --redo the last undo.")
@click.option("--engine", metavar="ID", help="What only this engine wanted.")
@click.option("--tag", metavar="TAG", help="This tag everywhere.")
@click.option("--source", metavar="SOURCE", help="All photos of one source.")
@click.option("--all", "everything", is_flag=True, help="All tags that TigerTag wrote.")
@click.option("--redo", is_flag=True, help="Bring back what was taken back.")
@click.option("-n", "--dry-run", is_flag=True, help="Change nothing: print what would go, photo by photo.")
@click.option("--wait", is_flag=True, help="Wait while another run is under way.")
@click.pass_obj
def undo(shared: Shared, /, *, run: int | None, dry_run: bool, **asked: object) -> int:
    """Take back what TigerTag wrote: of a RUN, an engine, a tag, a source, or all of it.

    Tags that were there before and those you added since stay. What was taken back is not written again by
    itself. You are asked first; where nobody can be asked, give --yes.
    """
    order = UndoOrder(run_id=run, **asked)  # type: ignore[arg-type]
    if sum(map(bool, (run, order.last, order.engine, order.tag, order.source, order.everything))) > 1:
        raise click.UsageError(
            "Give one of RUN, --last, --engine, --tag, --source and --all", click.get_current_context()
        )
    with summarized(shared):
        app = open_app(shared)
        found = preview_undo(app, order)
        if dry_run or not found.items:
            end(shared, _would(found, order), _rows(found), Tally())
            return 0
        return _take_back(app, shared, order, found)


def _take_back(app: App, shared: Shared, order: UndoOrder, found: UndoPreview) -> int:
    insist(app, _sentence(found), "Nothing was changed.")
    with after_this_step(app), watching(app, shared, "Taking back"):
        report = run_undo(app, order)
    end(shared, _done(report), rows(report.run_id, report.tally), report.tally)
    return report.exit_code


def _sentence(found: UndoPreview) -> str:
    """`1,702 tags would be taken from 309 photos`."""
    parts = [f"{counted(found.removes, 'tag')} would be taken away"] if found.removes else []
    parts += [f"{counted(found.adds, 'tag')} would be written"] if found.adds else []
    return f"{' and '.join(parts)} on {counted(found.items, 'photo')}"


def _would(found: UndoPreview, order: UndoOrder) -> list[str]:
    if not found.items:
        return [f"Nothing to {'bring' if order.redo else 'take'} back.", *_kept(found)]
    by_photo: dict[str, list[str]] = {}
    for path, sign, tag in found.lines:
        by_photo.setdefault(path, []).append(f"{sign}{tag}")
    lines = [f"  {visible(path)}  {visible(' '.join(tags))}" for path, tags in by_photo.items()]
    return [*lines, *_kept(found), f"{_sentence(found)}. This was a dry run: nothing was changed."]


def _kept(found: UndoPreview) -> list[str]:
    lines = []
    if found.shared:
        lines.append(f"  {counted(found.shared, 'tag')} would stay, because another engine wants them too")
    if found.overtaken:
        lines.append(
            f"  {counted(found.overtaken, 'edit')} would stay, because a later run or you changed them again"
        )
    return lines


def _rows(found: UndoPreview) -> list[object]:
    edits: list[object] = [
        {"type": "edit", "path": path, "action": "add" if sign == "+" else "remove", "tag": tag}
        for path, sign, tag in found.lines
    ]
    counts = {"added": found.adds, "removed": found.removes, "photos": found.items}
    more = {"shared": found.shared, "overtaken": found.overtaken, "dry_run": True}
    return [*edits, {"type": "summary", "run": found.run_id, "exit_code": 0} | counts | more]


def _done(report: WriteReport) -> list[str]:
    overtaken = [
        f"  left as it is: {visible(tag)} on {visible(path)}, changed again since"
        for path, tag in report.overtaken
    ]
    bring_back = ["Bring it back: tigertag undo --last --redo"] if report.tally.removed else []
    return [*done(None, report.tally), *overtaken, *bring_back]
