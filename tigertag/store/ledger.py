"""Targets, deliveries, the journal, the ledger and the verdicts: everything about what is shown where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from tigertag.store import rows
from tigertag.store.items import chunks, digest
from tigertag.store.tables import Delivery, Edit, ItemRow, Ledger, TargetRow, Verdict

Values: TypeAlias = dict[str, Any]
"""A row to be, by column."""

_DELIVERY, _EDIT, _LEDGER = (rows.table_of(each) for each in (Delivery, Edit, Ledger))
_STANDING = select(_DELIVERY.c.id, _DELIVERY.c.item_id, _DELIVERY.c.state, _DELIVERY.c.reason).where(
    _DELIVERY.c.target_id == bindparam("target_id"), _DELIVERY.c.item_id.in_(rows.many())
)
# Over the table: the ORM would look through all that the session holds for what it deletes.
_FORGET = delete(_LEDGER).where(
    _LEDGER.c.target_id == bindparam("target_id"),
    _LEDGER.c.item_id == bindparam("item_id"),
    _LEDGER.c.fold.in_(rows.many()),
)
_REOPEN = update(_DELIVERY).where(_DELIVERY.c.id.in_(rows.many())).values(state="pending", reason=None)


def find_target(session: Session, identity: str) -> TargetRow | None:
    return session.scalar(select(TargetRow).where(TargetRow.identity_hash == digest(identity)))


def keep_target(session: Session, identity: str, label: str) -> int:
    """The id of the target's row, made if there is none."""
    row = find_target(session, identity)
    if row is None:
        row = TargetRow(identity=identity, identity_hash=digest(identity))
        session.add(row)
    row.label = label
    session.flush()
    return row.id


def targets(session: Session) -> list[TargetRow]:
    return list(session.scalars(select(TargetRow).order_by(TargetRow.id)))


# ── deliveries ────────────────────────────────────────────────────────────────────────────────────────────


def mark_pending(session: Session, target_id: int, item_ids: Sequence[int], now: datetime) -> None:
    """These items are to be brought in line. What is held for a person stays held."""
    there = {row.item_id: row for row in rows.each(session, _STANDING, item_ids, target_id=target_id)}
    new = [
        {"item_id": item_id, "target_id": target_id, "state": "pending", "at": now}
        for item_id in item_ids
        if item_id not in there
    ]
    rows.add(session, _DELIVERY, new)
    again = [
        row for row in there.values() if row.state != "held" and (row.state, row.reason) != ("pending", None)
    ]
    rows.change(session, _DELIVERY, [{"row_id": row.id, "state": "pending", "reason": None} for row in again])


def deliveries(session: Session, target_id: int, item_ids: Sequence[int], now: datetime) -> dict[int, Delivery]:
    """The delivery of each item, made where there is none."""
    found: dict[int, Delivery] = {}
    for part in chunks(item_ids):
        for row in session.scalars(
            select(Delivery).where(Delivery.target_id == target_id, Delivery.item_id.in_(part))
        ):
            found[row.item_id] = row
    new = [
        Delivery(item_id=item_id, target_id=target_id, state="pending", wanted="", reason=None, at=now)
        for item_id in item_ids
        if item_id not in found
    ]
    session.add_all(new)
    return found | {row.item_id: row for row in new}


def set_delivery(
    row: Delivery, state: str, now: datetime, *, reason: str | None = None, wanted: str | None = None
) -> None:
    """Records how a delivery stands."""
    row.state, row.reason, row.at = state, reason, now
    if wanted is not None:
        row.wanted = wanted


def redeliver(session: Session, item_ids: Sequence[int]) -> None:
    """These items are to be brought in line wherever they once were. What is held stays held."""
    for part in chunks(item_ids):
        session.execute(
            update(Delivery)
            .where(Delivery.item_id.in_(part), Delivery.state.in_(("done", "failed")))
            .values(state="pending", reason=None)
        )


def retry_failed(session: Session) -> None:
    """What could not be written is to be tried again. Its reason stays: to fail of it once more is no news."""
    session.execute(update(Delivery).where(Delivery.state == "failed").values(state="pending"))


def redeliver_copies(session: Session, item_id: int, photo_id: int | None) -> None:
    """The other items of a photo are to be brought in line: a verdict that stopped them too is gone."""
    if photo_id is not None:
        copies = select(ItemRow.id).where(ItemRow.photo_id == photo_id, ItemRow.id != item_id)
        redeliver(session, list(session.scalars(copies)))


def pending(session: Session, target_id: int, *, states: Collection[str] = ("pending",)) -> list[int]:
    """Live items that were looked at and whose delivery is in one of `states`, newest photo first."""
    return list(
        session.scalars(
            select(Delivery.item_id)
            .join(ItemRow)
            .where(
                Delivery.target_id == target_id,
                Delivery.state.in_(states),
                ItemRow.gone_since.is_(None),
                was_looked_at(),
            )
            .order_by(ItemRow.moment.desc(), ItemRow.id)
        )
    )


def was_looked_at() -> ColumnElement[bool]:
    """Items whose photo is the one that lies there now. Of another the answers say nothing until it was opened,
    and nothing is written to it (RELIABILITY I13).
    """
    return and_(ItemRow.read_stamp == ItemRow.stamp, ItemRow.problem.is_(None), ItemRow.needs.is_(None))


def delivered(session: Session, target_id: int) -> dict[int, str]:
    """The fingerprint of what each item was last brought in line with, by item."""
    rows = session.execute(select(Delivery.item_id, Delivery.wanted).where(Delivery.target_id == target_id))
    return {item: wanted for item, wanted in rows}


def delivery_counts(session: Session, target_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Delivery.state, func.count())
        .join(ItemRow)
        .where(Delivery.target_id == target_id, ItemRow.gone_since.is_(None))
        .group_by(Delivery.state)
    )
    return {state: count for state, count in rows}


def troubled(session: Session, target_id: int) -> list[tuple[str, str, str]]:
    """Path, state and reason of deliveries that did not come about."""
    rows = session.execute(
        select(ItemRow.path, Delivery.state, Delivery.reason)
        .join(ItemRow)
        .where(Delivery.target_id == target_id, Delivery.reason.is_not(None))
        .order_by(ItemRow.path)
    )
    return [(path, state, reason or "") for path, state, reason in rows]


def with_photo(session: Session, *, as_it_lies: bool = False) -> list[int]:
    """Live items that have been opened; with `as_it_lies` only those that have not changed since."""
    query = select(ItemRow.id).where(ItemRow.photo_id.is_not(None), ItemRow.gone_since.is_(None))
    if as_it_lies:
        query = query.where(was_looked_at())
    return list(session.scalars(query.order_by(ItemRow.moment.desc(), ItemRow.id)))


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────────────


def entries(session: Session, target_id: int, item_ids: Sequence[int]) -> dict[int, list[Ledger]]:
    """Ledger rows by item, in the order they were made."""
    found: dict[int, list[Ledger]] = {item: [] for item in item_ids}
    for part in chunks(item_ids):
        for row in session.scalars(
            select(Ledger).where(Ledger.target_id == target_id, Ledger.item_id.in_(part)).order_by(Ledger.id)
        ):
            found[row.item_id].append(row)
    return found


def ours(session: Session) -> list[Ledger]:
    """All entries of ours."""
    return list(session.scalars(select(Ledger).where(Ledger.origin == "ours").order_by(Ledger.id)))


def set_engines(session: Session, ledger_id: int, engines: Sequence[str]) -> None:
    """The engines that want an entry from now on."""
    session.get_one(Ledger, ledger_id).engines = list(engines)


def to_verify(session: Session, target_id: int, *, held: bool) -> list[int]:
    """Live items that were looked at, with ledger entries or verdicts.

    Those held for a person only where asked for.
    """
    shown = exists().where(Ledger.item_id == Delivery.item_id, Ledger.target_id == target_id)
    ruled = exists().where(Verdict.item_id == Delivery.item_id)
    query = (
        select(Delivery.item_id)
        .join(ItemRow)
        .where(
            Delivery.target_id == target_id, ItemRow.gone_since.is_(None), was_looked_at(), or_(shown, ruled)
        )
        .order_by(Delivery.item_id)
    )
    if not held:
        query = query.where(Delivery.state != "held")
    return list(session.scalars(query))


def add_entries(session: Session, entries: Sequence[Values]) -> None:
    """What stands on items and was not in the ledger."""
    rows.add(session, _LEDGER, entries)


def forget(session: Session, target_id: int, item_id: int, folds: Collection[str]) -> None:
    """Takes entries out of the present; the journal keeps what happened."""
    if folds:
        session.execute(_FORGET, {"target_id": target_id, "item_id": item_id, "ids": sorted(folds)})


# ── the journal ───────────────────────────────────────────────────────────────────────────────────────────


def journal(session: Session, edits: Sequence[Values]) -> None:
    """What is about to be done."""
    rows.add(session, _EDIT, edits)


def intended(session: Session, target_id: int, item_ids: Sequence[int] | None = None) -> list[Edit]:
    """Journal rows without an outcome: what a run that was cut off may or may not have done."""
    query = select(Edit).where(Edit.target_id == target_id, Edit.state == "intended").order_by(Edit.id)
    if item_ids is None:
        return list(session.scalars(query))
    found: list[Edit] = []
    for part in chunks(item_ids):
        found += session.scalars(query.where(Edit.item_id.in_(part)))
    return found


def edits_by_ids(session: Session, ids: Sequence[int]) -> list[Edit]:
    found: list[Edit] = []
    for part in chunks(ids):
        found += session.scalars(select(Edit).where(Edit.id.in_(part)).order_by(Edit.id))
    return found


def confirmed(session: Session, *where: ColumnElement[bool]) -> list[Edit]:
    """Journal rows that came about, oldest first."""
    return list(session.scalars(select(Edit).where(Edit.state == "confirmed", *where).order_by(Edit.id)))


def confirmed_of(session: Session, item_ids: Sequence[int]) -> list[Edit]:
    """All journal rows of these items that came about, oldest first."""
    found: list[Edit] = []
    for part in chunks(item_ids):
        found += confirmed(session, Edit.item_id.in_(part))
    return sorted(found, key=lambda row: row.id)


def edit_counts(session: Session, run_id: int) -> dict[str, int]:
    """Confirmed additions and removals of a run."""
    rows = session.execute(
        select(Edit.action, func.count())
        .where(Edit.run_id == run_id, Edit.state == "confirmed")
        .group_by(Edit.action)
    )
    return {action: count for action, count in rows}


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────


def verdicts(session: Session, items: Iterable[tuple[int, int | None]]) -> dict[int, list[Verdict]]:
    """Verdicts that count for each (item, photo): the item's own and those of its photo, oldest first."""
    pairs = list(items)
    by_photo: dict[int, list[int]] = {}
    found: dict[int, list[Verdict]] = {}
    for item, photo in pairs:
        found[item] = []
        if photo is not None:
            by_photo.setdefault(photo, []).append(item)
    rows: dict[int, Verdict] = {}
    for part in chunks([item for item, _ in pairs]):
        rows |= {row.id: row for row in session.scalars(select(Verdict).where(Verdict.item_id.in_(part)))}
    for part in chunks(list(by_photo)):
        rows |= {row.id: row for row in session.scalars(select(Verdict).where(Verdict.photo_id.in_(part)))}
    for _, row in sorted(rows.items()):
        sharers = by_photo.get(row.photo_id, []) if row.photo_id is not None else []
        for item in dict.fromkeys((*([row.item_id] if row.item_id in found else []), *sharers)):
            found[item].append(row)
    return found


def set_verdict(
    session: Session,
    item_id: int,
    photo_id: int | None,
    tag: tuple[str, str, str],
    value: str,
    *,
    run_id: int | None,
    now: datetime,
) -> None:
    """Records what a human wants of `tag` (kind, canonical, name as shown) on an item."""
    kind, canonical, name = tag
    row = session.scalar(
        select(Verdict).where(Verdict.item_id == item_id, Verdict.kind == kind, Verdict.canonical == canonical)
    )
    if row is None:
        row = Verdict(item_id=item_id, kind=kind, canonical=canonical)
        session.add(row)
    row.photo_id, row.name, row.value, row.run_id, row.at = photo_id, name, value, run_id, now
    session.flush()


def lift(session: Session, ids: Sequence[int]) -> None:
    """Verdicts that no longer count."""
    for part in chunks(ids):
        session.execute(delete(Verdict).where(Verdict.id.in_(part)))


def lift_undone(session: Session, item_id: int, kind: str, canonical: str) -> None:
    """Lifts the verdict that an undo left."""
    session.execute(
        delete(Verdict).where(
            Verdict.item_id == item_id,
            Verdict.kind == kind,
            Verdict.canonical == canonical,
            Verdict.value == "undone",
        )
    )


def all_verdicts(session: Session) -> list[tuple[Verdict, str]]:
    """Every verdict with the path of its item."""
    rows = session.execute(select(Verdict, ItemRow.path).join(ItemRow).order_by(Verdict.id))
    return [(row, path) for row, path in rows]


def forget_policies(session: Session) -> None:
    """Every target is to be planned anew."""
    session.execute(update(TargetRow).values(policy=""))


def set_policy(session: Session, target_id: int, fingerprint: str) -> None:
    """All items of the target have been planned by this policy."""
    session.execute(update(TargetRow).where(TargetRow.id == target_id).values(policy=fingerprint))
