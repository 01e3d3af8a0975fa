"""Taking back what was written, and bringing it back.

The journal is append-only: a row that takes another back names it (`undoes`). A row counts while no row that
counts takes it back, so undo, redo and undo again work out of one rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from tigertag.errors import ItemError, ItemGone
from tigertag.model import Change, Presence, Shown, Written, fold
from tigertag.pipeline.beside import Beside
from tigertag.pipeline.plan import Entry
from tigertag.pipeline.record import Delivering, confirm_item, journal_row, keep_settled, settle_journal
from tigertag.pipeline.standing import Standing, look_up, settle
from tigertag.pipeline.survey import look_again
from tigertag.pipeline.work import Tally
from tigertag.pipeline.write import BATCH, Reply, Steps, change_of
from tigertag.store import items, ledger
from tigertag.store.tables import Edit, Ledger

_OTHER = "another photo now has its key, so its tags were left as they are. Scan, then undo again"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be taken back. All that is given must hold; nothing given: everything."""

    run_id: int | None = None
    engine: str | None = None
    tag: str | None = None
    items: frozenset[int] | None = None
    """Rows of the source or section that is meant."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """One tag to take off or to put back, and the journal row it takes back."""

    edit_id: int
    item_id: int
    target_id: int
    action: str
    entry: Entry


@dataclass(slots=True)
class Reversal:
    """What an undo comes to."""

    inverses: list[Inverse] = field(default_factory=list)
    shared: list[tuple[int, list[str]]] = field(default_factory=list)
    """Ledger rows that other engines want too, and those engines: the tag stays."""
    overtaken: list[Edit] = field(default_factory=list)
    """Rows of the run that a later one has overtaken: left as they are, and named."""


def counting(rows: Sequence[Edit]) -> set[int]:
    """The ids of confirmed rows that no counting row takes back. `rows` are all rows of their items."""
    undoers: dict[int, list[int]] = {}
    for row in rows:
        if row.undoes is not None:
            undoers.setdefault(row.undoes, []).append(row.id)
    counts: set[int] = set()
    for row in sorted(rows, key=lambda each: each.id, reverse=True):  # what takes a row back is younger
        if not any(undoer in counts for undoer in undoers.get(row.id, ())):
            counts.add(row.id)
    return counts


def select_undo(session: Session, chosen: Selection) -> Reversal:
    """The rows that an undo takes back: those still the last for their tag."""
    return _of_run(session, chosen) if chosen.run_id is not None else _of_ledger(session, chosen)


def _of_run(session: Session, chosen: Selection) -> Reversal:
    mine = ledger.confirmed(session, Edit.run_id == chosen.run_id, Edit.undoes.is_(None))
    chains = _chains(session, {row.item_id for row in mine})
    found = Reversal()
    for row in mine:
        later = _later(chains.get(_key(row), ()), row)
        if later is None or not _matches(row, chosen):
            continue
        if all(each.run_id == row.run_id for each in later):
            found.inverses.append(_inverse(row))
        else:
            found.overtaken.append(row)
    return found


def _later(chain: Sequence[Edit], row: Edit) -> Sequence[Edit] | None:
    """The rows of a chain after this one; None where it does not count."""
    ids = [each.id for each in chain]
    return chain[ids.index(row.id) + 1 :] if row.id in ids else None


def _of_ledger(session: Session, chosen: Selection) -> Reversal:
    """What stands there as ours; a tag that other engines want too stays theirs to want."""
    rows = [row for row in ledger.ours(session) if _matches(row, chosen)]
    chains = _chains(session, {row.item_id for row in rows})
    found = Reversal()
    for row in rows:
        others = [engine for engine in row.engines if engine != chosen.engine]
        if chosen.engine is not None and others:
            found.shared.append((row.id, others))
        elif _key(row) in chains:
            found.inverses.append(_inverse(chains[_key(row)][-1]))
    return found


def select_redo(session: Session, chosen: Selection) -> Reversal:
    """The rows of undos that still count: by the undo's own run, or by what they took back."""
    undos = ledger.confirmed(session, Edit.undoes.is_not(None))
    items_touched = sorted({row.item_id for row in undos})
    rows = {row.id: row for row in ledger.confirmed_of(session, items_touched)}
    counts = counting(list(rows.values()))
    found = Reversal()
    for row in undos:
        original = rows.get(row.undoes or 0)
        if row.id not in counts or original is None or original.undoes is not None:
            continue
        if not _is_within(row, chosen):
            continue
        if _matches(original, chosen) or (chosen.run_id is not None and row.run_id == chosen.run_id):
            found.inverses.append(_inverse(row))
    return found


def _chains(session: Session, item_ids: set[int]) -> dict[tuple[int, int, str], list[Edit]]:
    """The counting rows that take nothing back, by (target, item, name), oldest first."""
    rows = ledger.confirmed_of(session, sorted(item_ids))
    counts = counting(rows)
    chains: dict[tuple[int, int, str], list[Edit]] = {}
    for row in rows:
        if row.undoes is None and row.id in counts:
            chains.setdefault(_key(row), []).append(row)
    return chains


def _key(row: Edit | Ledger) -> tuple[int, int, str]:
    return row.target_id, row.item_id, row.fold


def _matches(row: Edit | Ledger, chosen: Selection) -> bool:
    return (
        _is_within(row, chosen)
        and (chosen.run_id is None or (isinstance(row, Edit) and row.run_id == chosen.run_id))
        and (chosen.engine is None or chosen.engine in row.engines)
        and (chosen.tag is None or fold(chosen.tag) in (row.fold, row.canonical))
    )


def _is_within(row: Edit | Ledger, chosen: Selection) -> bool:
    return chosen.items is None or row.item_id in chosen.items


def _inverse(row: Edit) -> Inverse:
    action = "remove" if row.action == "add" else "add"
    entry = Entry(row.name, row.kind, row.canonical, True, tuple(row.engines))
    return Inverse(row.id, row.item_id, row.target_id, action, entry)


# ── doing it ──────────────────────────────────────────────────────────────────────────────────────────────


def take_back(how: Delivering, inverses: Sequence[Inverse], *, lift: bool) -> Steps:
    """Writes inverses to one target, batch by batch. `lift` (redo) takes the verdicts `undone` away again.

    The verdict is committed with the intent, so that a kill after the write leaves nothing that a scan would
    write again.
    """
    for layer in _layers(inverses):
        by_item: dict[int, list[Inverse]] = {}
        for inverse in layer:
            by_item.setdefault(inverse.item_id, []).append(inverse)
        for part in items.chunks(list(by_item), BATCH):
            yield from _take_back_batch(how, {row_id: by_item[row_id] for row_id in part}, lift)
    yield from look_again(how)


def _layers(inverses: Sequence[Inverse]) -> list[list[Inverse]]:
    """The inverses one upon the other: where there are several of one tag on one item, the newest first."""
    layers: list[list[Inverse]] = []
    depths: Counter[tuple[int, str]] = Counter()
    for inverse in sorted(inverses, key=lambda each: each.edit_id, reverse=True):
        tag = inverse.item_id, inverse.entry.fold
        if depths[tag] == len(layers):
            layers.append([])
        layers[depths[tag]].append(inverse)
        depths[tag] += 1
    return layers


def _take_back_batch(how: Delivering, wanted: dict[int, list[Inverse]], lift: bool) -> Steps:
    work = how.work
    with work.database.reading() as session:
        batch = {row_id: item for row_id, (item, _) in items.by_ids(session, list(wanted)).items()}
    rows = {(item.source, item.key): row_id for row_id, item in batch.items()}
    work.guard()
    shown = yield lambda: list(how.target.target.read(list(batch.values())))

    def note(session: Session) -> _Noted:
        return _note_batch(session, how, rows, wanted, shown, lift)

    noted = work.database.transact(note)
    how.tally.merge(noted.tally)
    how.doubtful.update(noted.doubtful)
    if noted.changes:
        work.guard()
        beside = Beside()
        written = yield lambda: beside.write(how.target.target, noted.changes)

        def confirm(session: Session) -> Tally:
            beside.keep(session, rows)
            return _confirm(session, how, rows, written)

        how.tally.merge(work.database.transact(confirm))


@dataclass(slots=True)
class _Noted:
    """What came of the first transaction of a batch."""

    changes: list[Change] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    doubtful: dict[int, list[int]] = field(default_factory=dict)


def _note_batch(
    session: Session,
    how: Delivering,
    rows: dict[tuple[str, str], int],
    wanted: dict[int, list[Inverse]],
    shown: Reply,
    lift: bool,
) -> _Noted:
    noted = _Noted()
    standings = look_up(session, how.work, how.target.row_id, list(rows.values()))
    for seen in shown:
        row_id = rows[seen.item.source, seen.item.key]
        if isinstance(seen, Shown) and seen.presence is Presence.HERE:
            _note_item(session, how, noted, standings[row_id], row_id, wanted[row_id], seen, lift)
        else:
            _note_absence(noted.tally, row_id, seen)
    return noted


def _note_absence(tally: Tally, row_id: int, seen: Shown | Written | ItemError) -> None:
    """A photo that is gone took its tags along, and is counted; what could not be read is named."""
    if isinstance(seen, ItemGone) or (isinstance(seen, Shown) and seen.presence is Presence.GONE):
        tally.gone.add(row_id)
        return
    tally.fail(seen.item.path, str(seen) if isinstance(seen, ItemError) else _OTHER)


def _note_item(
    session: Session,
    how: Delivering,
    noted: _Noted,
    standing: Standing,
    row_id: int,
    inverses: Sequence[Inverse],
    seen: Shown,
    lift: bool,
) -> None:
    """Journals what is to be done to one item. What the user changed meanwhile stays as the user left it."""
    settled, states = settle(standing, seen.tags)
    doubtful = settle_journal(standing, states, how.work.now())
    if doubtful is not None:
        noted.doubtful[row_id] = doubtful
    ledger.add_entries(session, keep_settled(session, how, row_id, standing, settled))
    spelled = {fold(name): name for name in seen.tags}
    ours = {entry.fold for entry in settled.known.entries if entry.ours}
    add, remove = [], []
    for inverse in inverses:
        entry = inverse.entry
        there = entry.fold in spelled
        if inverse.action == "remove" and there and entry.fold in ours:
            remove.append(spelled[entry.fold])
        elif inverse.action == "add" and not there:
            add.append(entry.name)
        else:
            continue
        ledger.journal(session, [journal_row(how, row_id, inverse.action, entry, undoes=inverse.edit_id)])
        _rule(session, how, row_id, standing.photo_id, entry, lift)
    if add or remove:
        noted.changes.append(change_of(seen, standing, add, remove))


def _rule(
    session: Session, how: Delivering, row_id: int, photo_id: int | None, entry: Entry, lift: bool
) -> None:
    if lift:
        ledger.lift_undone(session, row_id, entry.kind, entry.canonical)
        ledger.redeliver_copies(session, row_id, photo_id)
        return
    ledger.set_verdict(
        session,
        row_id,
        photo_id,
        (entry.kind, entry.canonical, entry.name),
        "undone",
        run_id=how.work.run_id,
        now=how.work.now(),
    )


def _confirm(session: Session, how: Delivering, rows: dict[tuple[str, str], int], written: Reply) -> Tally:
    tally = Tally()
    standings = look_up(session, how.work, how.target.row_id, list(rows.values()))
    entries: list[ledger.Values] = []
    for outcome in written:
        row_id = rows[outcome.item.source, outcome.item.key]
        if isinstance(outcome, ItemError):
            _note_absence(tally, row_id, outcome)
            continue
        came_about, new = confirm_item(session, how, tally, row_id, standings[row_id], outcome)
        entries += new
        if not came_about:
            tally.fail(outcome.item.path, f"{how.target.target.label} did not keep all that was taken back")
    ledger.add_entries(session, entries)
    return tally
