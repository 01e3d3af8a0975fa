"""Bringing the items of a target in line: read, plan, note the intent, write, confirm.

Every step outside is handed to whoever drives the generator, so that the same code writes at once for
`tigertag write` and beside the analysis in a scan. Nothing here waits for a network inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy.orm import Session

from tigertag.errors import ItemError, ItemGone
from tigertag.model import Change, Item, Presence, Shown, Written, fingerprint, fold
from tigertag.pipeline.plan import Entry, Known, Plan, Ruling, finish, plan
from tigertag.pipeline.policy import Wanted, wanted
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.store import answers, items, ledger
from tigertag.store.tables import Delivery, Edit, Ledger, Verdict

BATCH = 200
"""Items read and written together."""

DOUBT = timedelta(minutes=10)
"""A write may take effect this long after the process that sent it died."""

Reply: TypeAlias = Sequence[Shown | Written | ItemError]
Steps: TypeAlias = Generator[Callable[[], Reply], Reply, None]


@dataclass(frozen=True, slots=True)
class Delivering:
    """How a batch is brought in line. `learn=False`: what is missing is written again (`write --restore`)."""

    work: Work
    target: OpenTarget
    tally: Tally
    learn: bool = True
    doubtful: dict[int, list[int]] = field(default_factory=dict)
    """Items settled while their write might still take effect, with the journal rows that were withdrawn."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands before the target is looked at."""

    item: Item
    photo_id: int | None
    known: Known
    intents: Sequence[Edit] = ()
    rows: Sequence[Ledger] = ()
    """The ledger rows behind `known.entries`."""

    @property
    def wanted(self) -> str:
        return wanted_fingerprint(self.known.wanted)


def wanted_fingerprint(tags: Iterable[Wanted]) -> str:
    """Tells whether an item is to be looked at again: the names wanted, and by whom."""
    return fingerprint([[tag.fold, sorted(tag.engines)] for tag in sorted(tags, key=lambda tag: tag.fold)])


def drive(steps: Steps) -> None:
    """Runs the steps to their end, here and now."""
    try:
        call = next(steps)
        while True:
            call = steps.send(call())
    except StopIteration:
        return


# ── what is known ─────────────────────────────────────────────────────────────────────────────────────────


def look_up(session: Session, work: Work, target_id: int, item_ids: Sequence[int]) -> dict[int, Standing]:
    """What is wanted and known of each item."""
    rows = items.by_ids(session, item_ids)
    said = answers.said_of(session, list(rows), list(work.policy.engines))
    entries = ledger.entries(session, target_id, list(rows))
    verdicts = ledger.verdicts(session, [(row_id, photo) for row_id, (_, photo) in rows.items()])
    intents: dict[int, list[Edit]] = {}
    for edit in ledger.intended(session, target_id, list(rows)):
        intents.setdefault(edit.item_id, []).append(edit)
    return {
        row_id: Standing(
            item,
            photo_id,
            Known(
                wanted=wanted(said[row_id], work.policy),
                entries=[as_entry(row) for row in entries[row_id]],
                rulings=[as_ruling(row, row_id) for row in verdicts[row_id]],
                speaking=said[row_id].keys(),
            ),
            intents.get(row_id, ()),
            entries[row_id],
        )
        for row_id, (item, photo_id) in rows.items()
    }


def as_entry(row: Ledger | Edit) -> Entry:
    """A ledger row, or a journal row as the ledger row it would make."""
    ours = row.origin == "ours" if isinstance(row, Ledger) else True
    return Entry(row.name, row.kind, row.canonical, ours, tuple(row.engines))


def as_ruling(row: Verdict, item_id: int) -> Ruling:
    return Ruling(row.kind, row.canonical, row.value, row.name, own=row.item_id == item_id)


def settle(standing: Standing, shown: Sequence[str]) -> tuple[Standing, dict[int, str]]:
    """Decides what became of intents that a dead run left, by what is shown: the standing after it, and the
    state of each journal row.

    An addition that is there is ours, one that is not is written again; a removal that is still there is done
    again (RELIABILITY, "In doubt").
    """
    there = {fold(name): name for name in shown}
    entries = {entry.fold: entry for entry in standing.known.entries}
    states: dict[int, str] = {}
    for edit in standing.intents:
        came_about = (edit.fold in there) == (edit.action == "add")
        states[edit.id] = "confirmed" if came_about else "withdrawn"
        if came_about and edit.action == "add":
            entries[edit.fold] = replace(as_entry(edit), name=there[edit.fold])
        elif came_about:
            entries.pop(edit.fold, None)
    return replace(standing, known=replace(standing.known, entries=list(entries.values()))), states


# ── one batch ─────────────────────────────────────────────────────────────────────────────────────────────


def deliver(how: Delivering, item_ids: Sequence[int]) -> Steps:
    """Brings a batch of items in line. What the target raises for all of them goes to the driver."""
    work, target = how.work, how.target
    with work.database.reading() as session:
        batch = {row_id: item for row_id, (item, _) in items.by_ids(session, item_ids).items()}
    rows = {(item.source, item.key): row_id for row_id, item in batch.items()}
    work.guard()
    shown = yield lambda: list(target.target.read(list(batch.values())))

    noted = work.database.transact(lambda session: _note_intents(_batch(session, how, rows), shown))
    how.tally.merge(noted.tally)
    how.doubtful.update(noted.doubtful)
    if not noted.changes:
        return
    work.guard()
    written = yield lambda: list(target.target.write(noted.changes))
    planned = {row_id: standing.wanted for row_id, standing in noted.standings.items()}
    how.tally.merge(
        work.database.transact(lambda session: _confirm(_batch(session, how, rows), written, planned))
    )


@dataclass(slots=True)
class _Batch:
    """A batch in one transaction: all that is known of its items, and what comes of it."""

    session: Session
    how: Delivering
    rows: Mapping[tuple[str, str], int]
    """Row ids by source and key."""
    standings: Mapping[int, Standing]
    deliveries: Mapping[int, Delivery]
    changes: list[Change] = field(default_factory=list)
    welcoming: list[int] = field(default_factory=list)
    """Items to which a tag came back that their copies were kept from."""
    tally: Tally = field(default_factory=Tally)
    doubtful: dict[int, list[int]] = field(default_factory=dict)


def _batch(session: Session, how: Delivering, rows: Mapping[tuple[str, str], int]) -> _Batch:
    target_id, ids = how.target.row_id, list(rows.values())
    return _Batch(
        session,
        how,
        rows,
        look_up(session, how.work, target_id, ids),
        ledger.deliveries(session, target_id, ids, how.work.now()),
    )


def _note_intents(batch: _Batch, shown: Reply) -> _Batch:
    """Plans each item that was read, and writes down what is about to be done."""
    for seen in shown:
        row_id = batch.rows[seen.item.source, seen.item.key]
        if isinstance(seen, Shown) and seen.presence is Presence.HERE:
            _note_item(batch, row_id, seen)
        else:
            _note_absence(batch, row_id, seen)
    for row_id in batch.welcoming:
        ledger.redeliver_copies(batch.session, row_id, batch.standings[row_id].photo_id)
    return batch


def _note_absence(batch: _Batch, row_id: int, seen: Shown | Written | ItemError) -> None:
    """An item that could not be read, is gone, or is another photo: nothing is learnt from it (P10, P11)."""
    how, delivery = batch.how, batch.deliveries[row_id]
    if isinstance(seen, ItemError):
        _record_trouble(batch, row_id, seen)
    elif isinstance(seen, Shown) and seen.presence is Presence.GONE:
        ledger.set_delivery(delivery, "pending", how.work.now(), reason="not found")
    else:
        reason = f"{how.target.target.label} shows another photo under its key; nothing was written"
        ledger.set_delivery(delivery, "pending", how.work.now(), reason=reason)
        batch.tally.fail(seen.item.path, reason)


def _record_trouble(batch: _Batch, row_id: int, error: ItemError) -> None:
    if isinstance(error, ItemGone):  # nobody's fault: the next listing says whether it comes back (P10)
        ledger.set_delivery(batch.deliveries[row_id], "pending", batch.how.work.now(), reason="not found")
        return
    state = "pending" if error.again else "failed"
    new = ledger.set_delivery(batch.deliveries[row_id], state, batch.how.work.now(), reason=str(error))
    if new or error.again:
        batch.tally.fail(error.item.path, str(error))


def _note_item(batch: _Batch, row_id: int, seen: Shown) -> None:
    how, session, standing = batch.how, batch.session, batch.standings[row_id]
    settled, states = settle(standing, seen.tags)
    undos = [edit for edit in standing.intents if edit.undoes and states[edit.id] == "withdrawn"]
    decided = finish(
        plan(settled.known, seen.tags, learn=how.learn),
        add=[as_entry(edit) for edit in undos if edit.action == "add"],
        remove=[as_entry(edit) for edit in undos if edit.action == "remove"],
    )
    doubtful = settle_journal(standing, states, how.work.now())
    if doubtful is not None:
        batch.doubtful[row_id] = doubtful
    _keep_ledger(session, how, row_id, standing, decided)
    _keep_verdicts(session, how, row_id, standing.photo_id, decided)
    if decided.welcomed:
        batch.welcoming.append(row_id)
    batch.tally.kept_edits += len(decided.refused) + len(decided.welcomed) + len(decided.stopped)
    if not decided.changes_target:
        ledger.set_delivery(batch.deliveries[row_id], "done", how.work.now(), wanted=standing.wanted)
        return
    _journal(batch, row_id, decided, {(edit.action, edit.fold): edit.undoes for edit in undos})
    batch.changes.append(
        Change(
            seen.item,
            add=tuple(tag.name for tag in decided.add),
            remove=tuple(entry.name for entry in decided.remove),
            shown=seen.tags,
        )
    )


def settle_journal(standing: Standing, states: Mapping[int, str], now: datetime) -> list[int] | None:
    """Records what became of the intents of a dead run.

    The additions among them that did not come about, where any intent is so young that it still might; else
    None.
    """
    for edit in standing.intents:
        edit.state = states[edit.id]
    if all(now - edit.at >= DOUBT for edit in standing.intents):
        return None
    return [edit.id for edit in standing.intents if edit.state == "withdrawn" and edit.action == "add"]


def _keep_ledger(session: Session, how: Delivering, row_id: int, standing: Standing, decided: Plan) -> None:
    """Brings the ledger to what stands there now; what is about to be written is not in it yet."""
    rows = {row.fold: row for row in standing.rows}
    after = {entry.fold: entry for entry in (*decided.kept, *decided.remove)}
    for tag in (*decided.found, *decided.welcomed):
        after[tag.fold] = Entry(tag.name, tag.kind, tag.canonical, False, tag.engines)
    ledger.forget(session, how.target.row_id, row_id, rows.keys() - after.keys())
    for key, entry in after.items():
        row = rows.get(key)
        if row is None:
            session.add(ledger_row(how, row_id, entry))
        else:
            row.name, row.engines = entry.name, list(entry.engines)
            row.origin = "ours" if entry.ours else "theirs"


def ledger_row(how: Delivering, row_id: int, entry: Entry) -> Ledger:
    """A new row for what stands on an item."""
    return Ledger(
        target_id=how.target.row_id,
        item_id=row_id,
        name=entry.name,
        fold=entry.fold,
        kind=entry.kind,
        canonical=entry.canonical,
        origin="ours" if entry.ours else "theirs",
        engines=list(entry.engines),
        at=how.work.now(),
    )


def _keep_verdicts(session: Session, how: Delivering, row_id: int, photo_id: int | None, decided: Plan) -> None:
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


def _journal(batch: _Batch, row_id: int, decided: Plan, undoes: Mapping[tuple[str, str], int | None]) -> None:
    """Writes the intents. `undoes` says by action and folded name which rows a cut off undo takes back."""
    pairs: list[tuple[str, Wanted | Entry]] = [("add", tag) for tag in decided.add]
    pairs += [("remove", entry) for entry in decided.remove]
    batch.session.add_all(
        journal_row(batch.how, row_id, action, tag, undoes.get((action, tag.fold))) for action, tag in pairs
    )


def journal_row(
    how: Delivering, row_id: int, action: str, tag: Wanted | Entry, undoes: int | None = None
) -> Edit:
    """An intent."""
    return Edit(
        run_id=how.work.run_id,
        target_id=how.target.row_id,
        item_id=row_id,
        action=action,
        state="intended",
        name=tag.name,
        fold=tag.fold,
        kind=tag.kind,
        canonical=tag.canonical,
        engines=list(tag.engines),
        undoes=undoes,
        at=how.work.now(),
    )


def _confirm(batch: _Batch, written: Reply, planned: Mapping[int, str]) -> Tally:
    """Records what the target says it shows now.

    `planned` are the fingerprints that the change was planned by: an answer that came since is still to be
    brought about.
    """
    how, now = batch.how, batch.how.work.now()
    for outcome in written:
        row_id = batch.rows[outcome.item.source, outcome.item.key]
        standing, delivery = batch.standings[row_id], batch.deliveries[row_id]
        if isinstance(outcome, ItemError):
            _record_trouble(batch, row_id, outcome)
            if not outcome.again:
                for edit in standing.intents:
                    edit.state = "withdrawn"
        elif confirm_item(batch.session, how, batch.tally, row_id, standing, outcome):
            state = "done" if standing.wanted == planned[row_id] else "pending"
            ledger.set_delivery(delivery, state, now, wanted=planned[row_id])
        else:
            reason = f"{how.target.target.label} did not keep all that was written"
            ledger.set_delivery(delivery, "pending", now, reason=reason)
            batch.tally.fail(outcome.item.path, reason)
    return batch.tally


def keep_settled(session: Session, how: Delivering, row_id: int, before: Standing, after: Standing) -> None:
    """Brings the ledger from one standing of an item to the next, by what settled intents added and removed."""
    old = {entry.fold for entry in before.known.entries}
    new = {entry.fold: entry for entry in after.known.entries}
    ledger.forget(session, how.target.row_id, row_id, old - new.keys())
    session.add_all(ledger_row(how, row_id, entry) for key, entry in new.items() if key not in old)


def confirm_item(
    session: Session,
    how: Delivering,
    tally: Tally,
    row_id: int,
    standing: Standing,
    outcome: Shown | Written,
) -> bool:
    """Settles the intents of an item by what it shows after the write. True where all came about."""
    settled, states = settle(standing, outcome.tags)
    keep_settled(session, how, row_id, standing, settled)
    for edit in standing.intents:
        if states[edit.id] == "confirmed":
            edit.state = "confirmed"
            tally.added += edit.action == "add"
            tally.removed += edit.action == "remove"
            tally.written_items.add(row_id)
    if isinstance(outcome, Written):
        tally.restored += len(outcome.restored)
    return all(state == "confirmed" for state in states.values())
