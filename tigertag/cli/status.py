"""`status`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import click

from tigertag.app.looking import EngineStatus, SourceStatus, Status, TargetStatus
from tigertag.app.looking import status as look
from tigertag.cli.opening import open_outline
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import calls_left, counted, listed, local, named, place, table

_NAMED = 20


@command(
    "status", examples=("tigertag status", "tigertag status --json", "tigertag status -v     every failure")
)
@click.pass_obj
def status(shared: Shared) -> int:
    """What is done, what waits, what failed and why, and when it will be finished.

    Reads the database only: no source, engine or target is asked, and a run under way is not disturbed.
    """
    found = look(open_outline(shared))
    if shared.json:
        out_json(_rows(found))
        return 0
    for line in _lines(found, everything=bool(shared.verbose)):
        out(line)
    return 0


def _lines(found: Status, *, everything: bool) -> list[str]:
    if not found.sources:
        return ["Nothing has been scanned yet: tigertag scan"]
    lines = [f"{visible(each.label)}   {_source(each)}" for each in found.sources]
    lines += [f"  {line}" for line in table([_engine(each) for each in found.engines])]
    lines += [f"  {line}" for line in table([_target(each) for each in found.targets if _has_begun(each)])]
    lines += _failures(found, everything=everything)
    if found.running:
        lines.append(f"Under way: {visible(found.running)}")
    run = found.last_run
    if run is not None:
        wrote = f"+{counted(run.added, 'tag')}, {run.removed:,} removed"
        ended = f"ended with exit code {run.exit_code}" if run.exit_code else run.state
        lines.append(f"Last run: {run.id}, {run.command}, {local(run.started)}, {ended}, {wrote}")
    return [*lines, f"Answers are kept in {place(found.kept_in)}"]


def _source(each: SourceStatus) -> str:
    needs = [
        f"{number:,} need{'s' if number == 1 else ''} tigertag[{extra}]" for extra, number in each.needs.items()
    ]
    waiting = f"{each.waiting:,} to be opened" if each.waiting else ""
    unreadable = f"{each.unreadable:,} unreadable" if each.unreadable else ""
    return listed([counted(each.items, "photo"), waiting, unreadable, *needs])


def _engine(each: EngineStatus) -> list[str]:
    budget = calls_left(each.budget.left, each.budget.limit, each.budget.per) if each.budget else ""
    return [each.id, _counts(each.done, each.waiting, each.failed), listed([quota_words(each), budget])]


def _target(each: TargetStatus) -> list[str]:
    held = f" · {each.held:,} held: see tigertag write --restore and --accept" if each.held else ""
    return [f"→ {each.label}", _counts(each.done, each.waiting, each.failed) + held]


def _has_begun(each: TargetStatus) -> bool:
    return bool(each.done or each.waiting or each.failed or each.held)


def _counts(done: int, waiting: int, failed: int) -> str:
    return f"{done:,} done · {waiting:,} waiting · {failed:,} failed"


def quota_words(each: EngineStatus) -> str:
    """What a service said was left, and when what waits will be done at that rate."""
    quota = each.quota
    if not isinstance(quota, Mapping):
        return ""
    left, limit, until = _number(quota.get("left")), _number(quota.get("limit")), quota.get("until")
    words = f"{left:,} of {limit:,} left at the last scan"
    if each.waiting <= left or not until or not limit:
        return words
    months = math.ceil((each.waiting - left) / limit)
    return f"{words}; goes on {visible(str(until))}, done in about {counted(months, 'month')}"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _failures(found: Status, *, everything: bool) -> list[str]:
    shown = found.failures if everything else found.failures[:_NAMED]
    lines = [_failure(*each) for each in shown]
    more = len(found.failures) - len(shown)
    return lines + ([f"  and {more:,} more: tigertag status -v"] if more else [])


def _failure(path: str, who: str, reason: str) -> str:
    return f"  failed  {named(path, reason)}" + ("" if who == "reading" else f" ({visible(who)})")


def _rows(found: Status) -> list[object]:
    last = found.last_run
    return [
        *(row(each, type="source") for each in found.sources),
        *(row(each, type="engine") for each in found.engines),
        *(row(each, type="target") for each in found.targets),
        *({"type": "failure", "path": path, "with": who, "reason": why} for path, who, why in found.failures),
        *([row(last, type="last run")] if last else []),
        *([{"type": "under way", "text": found.running}] if found.running else []),
        {"type": "database", "url": found.kept_in},
    ]
