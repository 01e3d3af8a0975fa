"""The end of a scan, for people and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tigertag.app.limiting import money
from tigertag.app.scanning import EngineLine, Listing, Outlook, ScanReport, Tally
from tigertag.cli.screen import visible
from tigertag.cli.words import calls_left, counted, duration, listed, local, named, place

_NAMED = 20
"""Failures that are named at the end; `tigertag status` names all."""


def lines(report: ScanReport, *, wrote: bool = True) -> list[str]:
    """What a person reads when a scan is over."""
    return [
        *sources_and_engines(report),
        *([_nothing_to_do(report)] if nothing_to_do(report) else [_done(report, wrote)]),
        *outstanding(report),
        *take_back(report.run_id, report.tally),
        *map(visible, report.offers),
        *([f"Answers are kept in {place(report.kept_in)}"] if report.kept_in else []),
    ]


def forecast(report: ScanReport) -> list[str]:
    """What a person reads after a dry run."""
    asked = max((each.waiting for each in report.engines), default=0)
    words = (
        f"Would ask about {counted(asked, 'photo')}" if asked else "Nothing to do: all photos are up to date"
    )
    return [
        *sources_and_engines(report, ask=True),
        f"{words}. This was a dry run: nothing was sent, written or kept.",
        *outstanding(report),
        *map(visible, report.offers),
    ]


def sources_and_engines(report: ScanReport, *, ask: bool = False) -> list[str]:
    """Each source with what was found there, then each engine with what it sends."""
    labels = [visible(each.label) for each in report.listings]
    width = max(map(len, labels), default=0)
    lines = [f"{label:<{width}}   {_found(each)}" for label, each in zip(labels, report.listings, strict=True)]
    widest = max((len(each.id) for each in report.engines), default=0)
    return lines + [f"  {each.id:<{widest}}   {_engine(each, ask=ask)}".rstrip() for each in report.engines]


_FILMS = " (--videos does, with tigertag[video])"
_HINTS = {"archives": " (name one to scan it)", "videos": _FILMS, "clips": _FILMS}


def _found(each: Listing) -> str:
    skipped = [
        f"{number:,} {visible(kind)} not looked at{_HINTS.get(kind, '')}"
        for kind, number in each.skipped.items()
    ]
    gone = f"{each.gone:,} gone" if each.gone else ""
    return listed(
        [counted(each.listed, "photo"), f"{each.new:,} new", f"{each.changed:,} changed", gone, *skipped]
    )


def _engine(each: EngineLine, *, ask: bool) -> str:
    parts = [visible(each.sends)]
    if ask:
        parts.append("billed" if each.billed else "")
        parts.append(f"would be asked about {counted(each.waiting, 'photo')}")
    if each.outlook is not None and each.outlook.calls:
        parts += _outlook(each.outlook)
    if each.quota is not None:
        period = " this month" if each.quota.until else ""
        parts.append(f"{each.quota.left:,} of {each.quota.limit:,} left{period}")
    if each.budget is not None:
        parts.append(calls_left(each.budget.left, each.budget.limit, each.budget.per))
    if each.cost is not None:
        parts.append(f"{counted(each.calls, 'call')} cost {money(each.cost)}")
    if each.reason and not each.planned:
        parts.append(f"put aside: {visible(each.reason)}")
    return listed(parts)


def _outlook(each: Outlook) -> list[str]:
    """What the calls would cost and take, as far as that is known."""
    cost = f"cost {money(each.cost)}" if each.cost is not None else ""
    if each.seconds is None:
        time = "how long that takes is not known yet"
    else:
        time = f"{'at least' if each.is_least else 'about'} {duration(each.seconds)}"
    if each.at_once == each.calls or each.done is None:
        return [cost, time]
    return [cost, time, f"{each.at_once:,} of them now, the last on {local(each.done)} at the earliest"]


# ── the outcome ───────────────────────────────────────────────────────────────────────────────────────────


def nothing_to_do(report: ScanReport) -> bool:
    tally = report.tally
    return not (report.due or tally.added or tally.removed or tally.failures or tally.aside or tally.codes)


def _nothing_to_do(report: ScanReport) -> str:
    total = sum(each.listed for each in report.listings)
    waiting = any(each.waiting for each in report.engines) or report.tally.needs
    if waiting or report.known_failures or not total:
        return f"Nothing to do now: {counted(total, 'photo')}, none new or changed."
    all_of_them = "the one photo is" if total == 1 else f"all {total:,} photos are"
    return f"Nothing to do: {all_of_them} up to date."


def _done(report: ScanReport, wrote: bool) -> str:
    stopped = report.exit_code in (130, 143)
    start = f"{'Stopped' if stopped else 'Done'} {'after' if stopped else 'in'} {duration(report.seconds)}"
    if not report.listings:
        return "Nothing was scanned."
    if not wrote:
        answers = counted(sum(report.tally.answered.values()), "answer")
        return f"{start}: {answers} kept, nothing written. What would be: tigertag write --dry-run"
    return f"{start}: {written(report.tally)}"


def written(tally: Tally) -> str:
    """`+1,702 tags on 309 photos, 0 removed, 14 of your edits kept`."""
    parts = [
        f"+{counted(tally.added, 'tag')} on {counted(len(tally.written_items), 'photo')}",
        f"{tally.removed:,} removed",
    ]
    if tally.kept_edits:
        parts.append(f"{tally.kept_edits:,} of your edits kept")
    if tally.restored:
        parts.append(f"{counted(tally.restored, 'tag')} of yours put back that went missing")
    return ", ".join(parts)


def take_back(run_id: int | None, tally: Tally) -> list[str]:
    """How to undo it, where there is something to undo."""
    return (
        [f"Take it back: tigertag undo {run_id}"]
        if run_id is not None and (tally.added or tally.removed)
        else []
    )


# ── what is left ──────────────────────────────────────────────────────────────────────────────────────────


def outstanding(report: ScanReport) -> list[str]:
    """What waits, what failed, what was put aside, each with its reason."""
    rows: list[tuple[str, int, str]] = []
    if not report.dry_run:
        rows += [
            ("waiting", each.waiting, f"for {each.id} ({why_waiting(each, report)})")
            for each in report.engines
            if each.waiting
        ]
    rows += [
        ("waiting", number, f"needs tigertag[{extra}]: pip install 'tigertag[{extra}]'")
        for extra, number in report.tally.needs.items()
    ]
    rows += [
        ("in doubt", each.maybe_billed, f"sent to {each.id} without an answer, maybe billed")
        for each in report.engines
        if each.maybe_billed
    ]
    rows += [
        ("in doubt", each.maybe_billed_before, f"sent to {each.id} by runs that were cut off, maybe billed")
        for each in report.engines
        if each.maybe_billed_before
    ]
    rows += _gone(report.tally)
    if report.tally.dropped:
        rows.append(
            ("dropped", report.tally.dropped, "tags of engines that were no good (empty, broken, too many)")
        )
    rows += _failed(report)
    return _aligned(rows) + _more_failures(report) + put_aside(report)


def _gone(tally: Tally) -> list[tuple[str, int, str]]:
    why = "not there any more when their tags were to be written or taken back"
    return [("gone", len(tally.gone), why)] if len(tally.gone) else []


def gone(tally: Tally) -> list[str]:
    """Photos that could not be written because they have gone."""
    return _aligned(_gone(tally))


def why_waiting(each: EngineLine, report: ScanReport) -> str:
    """Why photos still wait for an engine, and until when."""
    if each.closed_until:
        return f"asked from {each.hours.replace('-', ' to ')} only; next on {each.closed_until}"
    if each.budget is not None and not each.budget.left:
        return f"{each.budget}; next on {each.budget.until}"
    used_up = each.quota is not None and each.quota.left == 0
    if each.planned or used_up:
        until = each.until or (each.quota.until if each.quota else "")
        return f"quota; next on {visible(until)}" if until else visible(each.reason) or "quota"
    if each.reason:
        return "put aside; the next scan asks again"
    if report.exit_code in (130, 143):
        return "stopped; the next scan goes on"
    return "the next scan goes on"


def _failed(report: ScanReport) -> list[tuple[str, int, str]]:
    failures, known = report.tally.failures, report.known_failures
    ones = "one" if known == 1 and failures else "ones"
    if not failures and report.retried:
        return [("failed", known, "tried again, as before: tigertag status")] if known else []
    if not failures:
        return [("failed", known, "known ones not tried; tigertag scan --retry-failed")] if known else []
    before = f" ({known:,} known {ones} {'as before' if report.retried else 'not tried'})" if known else ""
    first = f": {named(*failures[0])}" if len(failures) == 1 else ""
    return [("failed", len(failures), f"new{first}{before}")]


def _more_failures(report: ScanReport) -> list[str]:
    return failures(report.tally) if len(report.tally.failures) > 1 else []


def failures(tally: Tally) -> list[str]:
    """The failures one by one, as many as a person will read."""
    lines = [f"    {named(*each)}" for each in tally.failures[:_NAMED]]
    more = len(tally.failures) - _NAMED
    return lines + ([f"    and {more:,} more: tigertag status"] if more > 0 else [])


def put_aside(report: ScanReport) -> list[str]:
    """Sources and targets that took no part; engines have said so in their own line."""
    engines = {each.id for each in report.engines}
    return aside(report.tally, without=engines)


def aside(tally: Tally, without: set[str] | frozenset[str] = frozenset()) -> list[str]:
    """A line for each that took no part; what source and target both say is said once."""
    lines = [_aside(name, error) for name, error in tally.aside.items() if name not in without]
    return [f"  !! {line}" for line in dict.fromkeys(lines)]


def _aside(name: str, error: Exception) -> str:
    """What sources and targets say names them already; of engines there may be several of a kind."""
    return visible(str(error)) if name.startswith(("source ", "target ")) else named(name, str(error))


def _aligned(rows: Sequence[tuple[str, int, str]]) -> list[str]:
    word = max((len(first) for first, _, _ in rows), default=0)
    number = max((len(f"{count:,}") for _, count, _ in rows), default=0)
    return [f"  {first:<{word}}  {count:>{number},} {rest}" for first, count, rest in rows]


def faults(tally: Tally, without: set[str] | frozenset[str] = frozenset()) -> list[str]:
    """A line for standard error on each fault: what failed now, and who was put aside unplanned."""
    lines = [named(path, reason) for path, reason in tally.failures]
    unplanned = {
        name: error
        for name, error in tally.aside.items()
        if name not in without and not getattr(error, "planned", False)
    }
    return lines + list(dict.fromkeys(_aside(name, error) for name, error in unplanned.items()))


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────


def rows(report: ScanReport) -> list[dict[str, object]]:
    """An object for each source, engine and fault, and the summary as the last."""
    found: list[dict[str, object]] = [_source_row(each) for each in report.listings]
    found += [_engine_row(each) for each in report.engines]
    found += fault_rows(report.tally)
    more = {"due": report.due, "dry_run": report.dry_run, "known_failures": report.known_failures}
    found.append(
        summary(report.tally, report.run_id, report.exit_code)
        | more
        | {"needs": report.tally.needs, "seconds": round(report.seconds, 3), "kept_in": report.kept_in}
    )
    return found


def _source_row(each: Listing) -> dict[str, object]:
    return {
        "type": "source",
        "label": each.label,
        "photos": each.listed,
        "known": each.known,
        "new": each.new,
        "changed": each.changed,
        "gone": each.gone,
        "skipped": each.skipped,
        "fault": str(each.fault) if each.fault else None,
    }


def _engine_row(each: EngineLine) -> dict[str, object]:
    quota = each.quota
    return {
        "type": "engine",
        "id": each.id,
        "sends": each.sends,
        "billed": each.billed,
        "answered": each.answered,
        "waiting": each.waiting,
        "maybe_billed": each.maybe_billed,
        "maybe_billed_before": each.maybe_billed_before,
        "reason": each.reason,
        "planned": each.planned,
        "until": each.until,
        "calls": each.calls,
        "cost": each.cost,
        "budget": asdict(each.budget) if each.budget else None,
        "hours": each.hours or None,
        "closed_until": each.closed_until or None,
        "outlook": asdict(each.outlook) if each.outlook else None,
        "quota": {"used": quota.used, "limit": quota.limit, "left": quota.left, "until": quota.until}
        if quota
        else None,
    }


def fault_rows(tally: Tally) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"type": "failure", "path": path, "reason": reason} for path, reason in tally.failures
    ]
    return rows + [
        {"type": "aside", "name": name, "reason": str(error), "planned": bool(getattr(error, "planned", False))}
        for name, error in tally.aside.items()
    ]


def summary(tally: Tally, run_id: int | None, code: int) -> dict[str, object]:
    return {
        "type": "summary",
        "run": run_id,
        "exit_code": code,
        "added": tally.added,
        "removed": tally.removed,
        "photos": len(tally.written_items),
        "kept_edits": tally.kept_edits,
        "restored": tally.restored,
        "gone": len(tally.gone),
        "answered": tally.answered,
        "failed": len(tally.failures),
    }
