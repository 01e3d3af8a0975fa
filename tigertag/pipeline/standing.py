"""How an item stands before its target is looked at: what is wanted, known, ruled, and left open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from tigertag.model import JSON, Item, fingerprint, fold
from tigertag.pipeline.caption import caption_of
from tigertag.pipeline.plan import Entry, Known, Ruling
from tigertag.pipeline.policy import Wanted, wanted
from tigertag.pipeline.work import Work
from tigertag.store import answers, items, ledger
from tigertag.store.tables import Edit, Ledger, Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands before the target is looked at."""

    item: Item
    photo_id: int | None
    known: Known
    intents: Sequence[Edit] = ()
    rows: Sequence[Ledger] = ()
    """The ledger rows behind `known.entries`."""
    caption: str = ""
    """What an engine says the photo shows; empty where none does."""

    @property
    def wanted(self) -> str:
        return wanted_fingerprint(self.known.wanted, self.caption)


def wanted_fingerprint(tags: Iterable[Wanted], caption: str = "") -> str:
    """Tells whether an item is to be looked at again: names wanted, by whom, below what, and the caption."""
    names: list[JSON] = [
        [tag.fold, sorted(tag.engines), *([list(tag.path)] if tag.path else [])]
        for tag in sorted(tags, key=lambda tag: tag.fold)
    ]
    return fingerprint([*names, caption] if caption else names)


def look_up(session: Session, work: Work, target_id: int, item_ids: Sequence[int]) -> dict[int, Standing]:
    """What is wanted and known of each item."""
    rows = items.by_ids(session, item_ids)
    said = answers.said_of(session, list(rows), list(work.policy.engines))
    seen = dict(zip(said, work.policy.see([*said.values()]), strict=True))
    entries = ledger.entries(session, target_id, list(rows))
    verdicts = ledger.verdicts(session, [(row_id, photo) for row_id, (_, photo) in rows.items()])
    brought_back = _brought_back(session, target_id, verdicts)
    intents: dict[int, list[Edit]] = {}
    for edit in ledger.intended(session, target_id, list(rows)):
        intents.setdefault(edit.item_id, []).append(edit)
    return {
        row_id: Standing(
            item,
            photo_id,
            Known(
                wanted=wanted(seen[row_id], work.policy),
                entries=[as_entry(row) for row in entries[row_id]],
                rulings=[as_ruling(row, row_id) for row in verdicts[row_id]],
                speaking=seen[row_id].keys(),
                brought_back=brought_back.get(row_id, ()),
            ),
            intents.get(row_id, ()),
            entries[row_id],
            caption_of(seen[row_id]),
        )
        for row_id, (item, photo_id) in rows.items()
    }


def _brought_back(
    session: Session, target_id: int, verdicts: Mapping[int, Sequence[Verdict]]
) -> dict[int, set[str]]:
    """The folded names that undos put back on each item, as long as the verdict that they left stands."""
    rulings = (row for rows in verdicts.values() for row in rows if row.value == "undone")
    undone = {(row.item_id, row.kind, row.canonical) for row in rulings if row.item_id in verdicts}
    if not undone:
        return {}
    rows = ledger.confirmed_of(session, sorted({item_id for item_id, _, _ in undone}))
    removed = {row.id for row in rows if row.action == "remove" and row.undoes is None}
    last = {(row.item_id, row.fold): row for row in rows if row.target_id == target_id}
    found: dict[int, set[str]] = {}
    for (item_id, name), row in last.items():
        if row.undoes in removed and (item_id, row.kind, row.canonical) in undone:
            found.setdefault(item_id, set()).add(name)
    return found


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
