"""Bringing the items of a target in line: read, plan, note the intent, write, confirm.

Every step outside is handed to whoever drives the generator, so that the same code writes at once for
`tigertag write` and beside the analysis in a scan. Nothing here waits for a network inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy.orm import Session

from tigertag.errors import ItemError, ItemGone
from tigertag.model import Change, Presence, Shown, Written, fold
from tigertag.pipeline.beside import Beside
from tigertag.pipeline.caption import to_write
from tigertag.pipeline.place import to_move
from tigertag.pipeline.plan import Entry, Plan, finish, plan
from tigertag.pipeline.policy import Wanted
from tigertag.pipeline.record import (
    Delivering,
    confirm_item,
    journal_row,
    keep_ledger,
    keep_verdicts,
    settle_journal,
)
from tigertag.pipeline.standing import Standing, as_entry, look_up, settle
from tigertag.pipeline.work import Tally
from tigertag.store import items, ledger
from tigertag.store.tables import Delivery

BATCH = 400
"""Items read and written together: as many as Plex shows in one answer."""

Reply: TypeAlias = Sequence[Shown | Written | ItemError]
Steps: TypeAlias = Generator[Callable[[], Reply], Reply, None]


def change_of(
    seen: Shown,
    standing: Standing,
    add: Sequence[str],
    remove: Sequence[str],
    *,
    move: Sequence[str] = (),
    caption: str | None = None,
) -> Change:
    """A change with all that a target may want to know of its additions, and of what is to lie elsewhere."""
    wanted_now = {tag.fold: tag for tag in standing.known.wanted}
    tags = {name: wanted_now[fold(name)] for name in (*add, *move) if fold(name) in wanted_now}
    return Change(
        seen.item,
        add=tuple(add),
        remove=tuple(remove),
        shown=seen.tags,
        paths={name: tag.path for name, tag in tags.items() if tag.path},
        engines={name: tag.engines for name, tag in tags.items()},
        move=tuple(move),
        caption=caption,
    )


def drive(steps: Steps) -> None:
    """Runs the steps to their end, here and now."""
    try:
        call = next(steps)
        while True:
            call = steps.send(call())
    except StopIteration:
        return


# ── one batch ─────────────────────────────────────────────────────────────────────────────────────────────


def deliver(
    how: Delivering, item_ids: Sequence[int], seen: Mapping[int, Shown | ItemError] | None = None
) -> Steps:
    """Brings a batch of items in line. What the target raises for all of them goes to the driver.

    `seen` is what it shows at this moment, by row id; where it is not given, the target is read.
    """
    work, target = how.work, how.target
    with work.database.reading() as session:
        batch = {row_id: item for row_id, (item, _) in items.by_ids(session, item_ids).items()}
    rows = {(item.source, item.key): row_id for row_id, item in batch.items()}
    work.guard()
    if seen is None:
        shown = yield lambda: list(target.target.read(list(batch.values())))
    else:
        shown = [seen[row_id] for row_id in batch if row_id in seen]
    noted = work.database.transact(lambda session: _note_intents(_batch(session, how, rows), shown))
    how.tally.merge(noted.tally)
    how.doubtful.update(noted.doubtful)
    if not noted.changes:
        return
    work.guard()
    beside = Beside()
    written = yield lambda: beside.write(target.target, noted.changes)
    planned = {row_id: standing.wanted for row_id, standing in noted.standings.items()}

    def confirm(session: Session) -> Tally:
        batch = _batch(session, how, rows)
        batch.welcoming = noted.welcoming
        beside.keep(session, rows)
        return _confirm(batch, written, planned)

    how.tally.merge(work.database.transact(confirm))


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
    entries: list[ledger.Values] = field(default_factory=list)
    """New ledger rows; written at the end, all in one statement, as are the intents."""
    intents: list[ledger.Values] = field(default_factory=list)

    def keep(self) -> None:
        """Writes the new rows."""
        ledger.add_entries(self.session, self.entries)
        ledger.journal(self.session, self.intents)


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
    batch.keep()
    _redeliver_copies(batch)
    return batch


def _redeliver_copies(batch: _Batch) -> None:
    for row_id in batch.welcoming:
        ledger.redeliver_copies(batch.session, row_id, batch.standings[row_id].photo_id)


def _note_absence(batch: _Batch, row_id: int, seen: Shown | Written | ItemError) -> None:
    """An item that could not be read, is gone, or is another photo: nothing is learnt from it (P10, P11)."""
    how, delivery = batch.how, batch.deliveries[row_id]
    if isinstance(seen, ItemError):
        _record_trouble(batch, row_id, seen)
    elif isinstance(seen, Shown) and seen.presence is Presence.GONE:
        _note_gone(batch, row_id)
    else:
        reason = (
            f"{how.target.target.label} shows another photo under its key; nothing was written. "
            "The next scan looks again"
        )
        ledger.set_delivery(delivery, "pending", how.work.now(), reason=reason)
        batch.tally.fail(seen.item.path, reason)


def _note_gone(batch: _Batch, row_id: int) -> None:
    """Nobody's fault: the next listing says whether it comes back (P10)."""
    ledger.set_delivery(batch.deliveries[row_id], "pending", batch.how.work.now(), reason="not found")
    batch.tally.gone.add(row_id)


def _record_trouble(batch: _Batch, row_id: int, error: ItemError) -> None:
    if isinstance(error, ItemGone):
        _note_gone(batch, row_id)
        return
    state = "pending" if error.again else "failed"
    row = batch.deliveries[row_id]
    is_new = row.reason != str(error)
    ledger.set_delivery(row, state, batch.how.work.now(), reason=str(error))
    if is_new or error.again:
        batch.tally.fail(error.item.path, str(error))


def _note_item(batch: _Batch, row_id: int, seen: Shown) -> None:
    how, session, standing = batch.how, batch.session, batch.standings[row_id]
    settled, states = settle(standing, seen.tags)
    undos = [edit for edit in standing.intents if edit.undoes and states[edit.id] == "withdrawn"]
    decided = finish(
        plan(settled.known, seen.tags, learn=how.learn, follow=how.target.follows),
        add=[as_entry(edit) for edit in undos if edit.action == "add"],
        remove=[as_entry(edit) for edit in undos if edit.action == "remove"],
    )
    doubtful = settle_journal(standing, states, how.work.now())
    if doubtful is not None:
        batch.doubtful[row_id] = doubtful
    batch.entries += keep_ledger(session, how, row_id, standing, decided)
    keep_verdicts(session, how, row_id, standing.photo_id, decided)
    if decided.welcomed:
        batch.welcoming.append(row_id)
    if how.target.is_followed and (decided.welcomed or decided.refused):
        ledger.redeliver(session, [row_id])
        ledger.redeliver_copies(session, row_id, standing.photo_id)
    batch.tally.kept_edits += len(decided.refused) + len(decided.welcomed) + len(decided.stopped)
    caption = to_write(standing.caption, seen, decided)
    move = to_move(standing, seen, decided)
    if not decided.changes_target and not seen.is_stale and not move and caption is None:
        ledger.set_delivery(batch.deliveries[row_id], "done", how.work.now(), wanted=standing.wanted)
        return
    batch.tally.moved += len(move)
    _journal(batch, row_id, decided, {(edit.action, edit.fold): edit.undoes for edit in undos})
    add, remove = [tag.name for tag in decided.add], [entry.name for entry in decided.remove]
    batch.changes.append(change_of(seen, standing, add, remove, move=move, caption=caption))


def _journal(batch: _Batch, row_id: int, decided: Plan, undoes: Mapping[tuple[str, str], int | None]) -> None:
    """Notes the intents. `undoes` says by action and folded name which rows a cut off undo takes back."""
    pairs: list[tuple[str, Wanted | Entry]] = [("add", tag) for tag in decided.add]
    pairs += [("remove", entry) for entry in decided.remove]
    batch.intents += [
        journal_row(batch.how, row_id, action, tag, undoes.get((action, tag.fold))) for action, tag in pairs
    ]


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
                batch.entries += _keep_part(batch, row_id, standing, outcome)
            continue
        came_about, new = confirm_item(batch.session, how, batch.tally, row_id, standing, outcome)
        batch.entries += new
        if came_about:
            state = "done" if standing.wanted == planned[row_id] else "pending"
            ledger.set_delivery(delivery, state, now, wanted=planned[row_id])
            if isinstance(outcome, Written) and outcome.instead:
                batch.tally.fail(outcome.item.path, outcome.instead)
        else:
            reason = f"{how.target.target.label} did not keep all that was written"
            ledger.set_delivery(delivery, "pending", now, reason=reason)
            batch.tally.fail(outcome.item.path, reason)
    batch.keep()
    _redeliver_copies(batch)  # also those that were written together with it, by what was known before
    return batch.tally


def _keep_part(batch: _Batch, row_id: int, standing: Standing, error: ItemError) -> list[ledger.Values]:
    """What of a change came about before it failed for good is ours, the rest is withdrawn. The new rows."""
    new: list[ledger.Values] = []
    if error.shown is not None:
        there = Shown(error.item, error.shown)
        _, new = confirm_item(batch.session, batch.how, batch.tally, row_id, standing, there)
    for edit in standing.intents:
        if edit.state == "intended":
            edit.state = "withdrawn"
    return new
