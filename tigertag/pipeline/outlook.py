"""What asking an engine about so many photos will cost, and how long it will take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tigertag.model import EngineRules
from tigertag.pipeline.limits import may_ask, next_turn, window

_FAR = timedelta(days=366)  # What takes longer is reckoned from what a year of it brings.


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to come of an engine, one call for each photo."""

    calls: int
    at_once: int
    """Of them, those that one scan makes that begins now; the others wait for the budget or the hours."""
    cost: float | None = None
    """Of all calls, in the user's currency."""
    seconds: float | None = None
    """Of asking, without the waits for budget and hours; None where nothing is known of it."""
    is_least: bool = False
    """What a call takes is not known: it can be no shorter, by the rate alone."""
    done: datetime | None = None
    """When the last call is answered at the earliest, with a scan whenever there may be one."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an engine before it is asked."""

    rules: EngineRules
    concurrency: int = 1
    used: int = 0
    """Of the budget, in its present window."""
    seconds_per_call: float | None = None
    """As earlier runs measured it; None where none did."""


def outlook(known: Known, calls: int, now: datetime, zone: tzinfo | None = None) -> Outlook:
    """`zone` is that of the hours; this machine's by default."""
    rate, cost = known.rules.rate, known.rules.cost_per_call
    took = known.seconds_per_call
    is_known = rate is not None or took is not None
    step = max(rate.interval if rate else 0.0, (took or 0.0) / max(1, known.concurrency))
    at_once, done = _walk(known, calls, step, now.astimezone(UTC), zone)
    return Outlook(
        calls,
        at_once,
        None if cost is None else calls * cost,
        calls * step if is_known else None,
        is_least=is_known and took is None,
        done=done if is_known or at_once < calls else None,
    )


def _walk(known: Known, calls: int, step: float, now: datetime, zone: tzinfo | None) -> tuple[int, datetime]:
    """Calls until the first stop, and when the last of all is made. `step` is in seconds a call."""
    budget, hours = known.rules.budget, known.rules.hours
    moment, todo, at_once = now, calls, None
    room = math.inf if budget is None else max(0, budget.calls - known.used)
    while todo and moment < now + _FAR:
        ends = window(budget, moment)[1] if budget else None
        closed = hours is not None and not may_ask(hours, moment, zone)
        if closed or not room:
            at_once = calls - todo if at_once is None else at_once
            later = next_turn(hours, moment, zone) if hours and closed else ends or now
        else:
            stops = [each for each in (ends, hours and next_turn(hours, moment, zone)) if each]
            stop = min(stops, default=None)
            count = min(todo, room, math.inf if not (stop and step) else _fit(stop - moment, step))
            todo, room = todo - int(count), room - count
            later = moment + timedelta(seconds=step * count)
            later = min(later, stop) if stop else later
        if budget and ends and later >= ends:
            room = budget.calls
        moment = later
    if todo:
        moment = now + (moment - now) * (calls / max(1, calls - todo))
    return calls if at_once is None else at_once, moment


def _fit(span: timedelta, step: float) -> int:
    """Calls that begin within the span, the first at once."""
    return max(1, math.ceil(span.total_seconds() / step))
