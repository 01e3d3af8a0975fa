"""What is written down of a write: its intents in the journal, what stands in the ledger, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from tigertag.model import Shown, Written
from tigertag.pipeline.plan import Entry, Plan
from tigertag.pipeline.policy import Wanted
from tigertag.pipeline.standing import Standing, settle
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.store import ledger

DOUBT = timedelta(minutes=10)
"""A write may take effect this long after the process that sent it died."""


@dataclass(slots=True)
class Delivering:
    """How a batch is brought in line. `learn=False`: what is missing is written again (`write --restore`)."""

    work: Work
    target: OpenTarget
    tally: Tally
    learn: bool = True
    doubtful: dict[int, list[int]] = field(default_factory=dict)
    """Items settled while their write might still take effect, with the journal rows that were withdrawn."""
    looks_whole: bool = False
    """A look at what should be there found nothing missing in numbers (P20)."""


def settle_journal(standing: Standing, states: Mapping[int, str], now: datetime) -> list[int] | None:
    """Records what became of the intents of a dead run.

    Those of them that did not come about, where any intent is so young that they still might; else None.
    """
    for edit in standing.intents:
        edit.state = states[edit.id]
    if all(now - edit.at >= DOUBT for edit in standing.intents):
        return None
    return [edit.id for edit in standing.intents if edit.state == "withdrawn"]


def keep_ledger(
    session: Session, how: Delivering, row_id: int, standing: Standing, decided: Plan
) -> list[ledger.Values]:
    """Brings the ledger to what stands there now, without what is about to be written. The new rows."""
    rows = {row.fold: row for row in standing.rows}
    after = {entry.fold: entry for entry in (*decided.kept, *decided.remove)}
    for tag in (*decided.found, *decided.welcomed):
        after[tag.fold] = Entry(tag.name, tag.kind, tag.canonical, False, tag.engines)
    ledger.forget(session, how.target.row_id, row_id, rows.keys() - after.keys())
    new: list[ledger.Values] = []
    for key, entry in after.items():
        row = rows.get(key)
        if row is None:
            new.append(ledger_row(how, row_id, entry))
        else:
            row.name, row.engines = entry.name, list(entry.engines)
            row.origin = "ours" if entry.ours else "theirs"
    return new


def ledger_row(how: Delivering, row_id: int, entry: Entry) -> ledger.Values:
    """A new row for what stands on an item."""
    return {
        "target_id": how.target.row_id,
        "item_id": row_id,
        "name": entry.name,
        "fold": entry.fold,
        "kind": entry.kind,
        "canonical": entry.canonical,
        "origin": "ours" if entry.ours else "theirs",
        "engines": list(entry.engines),
        "at": how.work.now(),
    }


def keep_verdicts(session: Session, how: Delivering, row_id: int, photo_id: int | None, decided: Plan) -> None:
    said: list[tuple[Entry | Wanted, str]] = [(tag, "yes") for tag in decided.welcomed]
    said += [(entry, "no") for entry in decided.refused]
    for tag, value in said:
        ledger.set_verdict(
            session,
            row_id,
            photo_id,
            (tag.kind, tag.canonical, tag.name),
            value,
            run_id=how.work.run_id,
            now=how.work.now(),
        )


def journal_row(
    how: Delivering, row_id: int, action: str, tag: Wanted | Entry, undoes: int | None = None
) -> ledger.Values:
    """An intent."""
    return {
        "run_id": how.work.run_id,
        "target_id": how.target.row_id,
        "item_id": row_id,
        "action": action,
        "state": "intended",
        "name": tag.name,
        "fold": tag.fold,
        "kind": tag.kind,
        "canonical": tag.canonical,
        "engines": list(tag.engines),
        "undoes": undoes,
        "at": how.work.now(),
    }


def keep_settled(
    session: Session, how: Delivering, row_id: int, before: Standing, after: Standing
) -> list[ledger.Values]:
    """Brings the ledger from one standing of an item to the next, by what settled intents added and removed.

    The new rows, which the caller adds.
    """
    old = {entry.fold for entry in before.known.entries}
    new = {entry.fold: entry for entry in after.known.entries}
    ledger.forget(session, how.target.row_id, row_id, old - new.keys())
    return [ledger_row(how, row_id, entry) for key, entry in new.items() if key not in old]


def confirm_item(
    session: Session,
    how: Delivering,
    tally: Tally,
    row_id: int,
    standing: Standing,
    outcome: Shown | Written,
) -> tuple[bool, list[ledger.Values]]:
    """Settles the intents of an item by what it shows after the write.

    Whether all came about, and the new rows of the ledger, which the caller adds.
    """
    settled, states = settle(standing, outcome.tags)
    new = keep_settled(session, how, row_id, standing, settled)
    for edit in standing.intents:
        if states[edit.id] == "confirmed":
            edit.state = "confirmed"
            tally.added += edit.action == "add"
            tally.removed += edit.action == "remove"
            tally.written_items.add(row_id)
    if isinstance(outcome, Written):
        tally.restored += len(outcome.restored)
    return all(state == "confirmed" for state in states.values()), new
