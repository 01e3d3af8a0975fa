"""Which items of a target are to be looked at, and whether it is safe to write there.

A target whose tags of ours are missing in numbers was restored from a copy; that is no human's wish
(RELIABILITY P20), so it is looked at before the first write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from tigertag.errors import Refused
from tigertag.model import Presence, Shown, fold
from tigertag.pipeline.plan import missing
from tigertag.pipeline.policy import wanted
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.pipeline.write import (
    BATCH,
    Delivering,
    Reply,
    Standing,
    Steps,
    as_entry,
    deliver,
    drive,
    ledger_row,
    look_up,
    settle,
    wanted_fingerprint,
)
from tigertag.store import answers, items, ledger

_RESTORED_SHARE, _RESTORED_ITEMS, _HELD_TAGS = 0.2, 20, 3  # RELIABILITY P20


def take_up(work: Work, target: OpenTarget) -> None:
    """Items with intents of a dead run are to be looked at again."""
    with work.database.session() as session:
        ids = {edit.item_id for edit in ledger.intended(session, target.row_id)}
        ledger.mark_pending(session, target.row_id, sorted(ids), work.now())


def replan(work: Work, target: OpenTarget) -> None:
    """Makes every item pending for which other tags are wanted than it was last brought in line with."""
    with work.database.reading() as session:
        rows = ledger.with_photo(session)
        last = ledger.delivered(session, target.row_id)
    for part in items.chunks(rows):
        with work.database.session() as session:
            changed = out_of_line(session, work, target, part, last)
            ledger.mark_pending(session, target.row_id, changed, work.now())
    with work.database.session() as session:
        ledger.set_policy(session, target.row_id, work.policy.fingerprint)


def out_of_line(
    session: Session, work: Work, target: OpenTarget, part: Sequence[int], last: dict[int, str]
) -> list[int]:
    """Those of `part` that the target accepts and that are wanted to look otherwise than when last planned."""
    nothing = wanted_fingerprint(())
    said = answers.said_of(session, part, list(work.policy.engines))
    return [
        row_id
        for row_id, (item, _) in items.by_ids(session, part).items()
        if target.target.accepts(item)
        and (last.get(row_id) or nothing) != wanted_fingerprint(wanted(said[row_id], work.policy))
    ]


@dataclass(slots=True)
class Survey:
    """What a look at items with tags of ours found, before anything is written."""

    read: int = 0
    bare: int = 0
    """Items that show none of our tags."""
    lacking: int = 0
    """Items that lack at least one of our tags."""
    to_hold: list[tuple[int, str]] = field(default_factory=list)
    """Items that lack all of their three or more: row id and path."""

    @property
    def looks_restored(self) -> bool:
        """RELIABILITY P20."""
        return self.lacking >= _RESTORED_ITEMS and self.lacking > _RESTORED_SHARE * self.read


def survey(work: Work, target: OpenTarget, item_ids: Sequence[int]) -> Survey:
    """Reads items that should show tags of ours. Writes nothing and learns nothing."""
    found = Survey()
    for part in items.chunks(list(item_ids), BATCH):
        with work.database.reading() as session:
            standings = look_up(session, work, target.row_id, part)
        rows = {(each.item.source, each.item.key): row_id for row_id, each in standings.items()}
        for seen in target.target.read([each.item for each in standings.values()]):
            if isinstance(seen, Shown) and seen.presence is Presence.HERE:
                row_id = rows[seen.item.source, seen.item.key]
                _weigh(found, row_id, standings[row_id], seen)
    return found


def _weigh(found: Survey, row_id: int, standing: Standing, seen: Shown) -> None:
    settled, _ = settle(standing, seen.tags)
    ours = [entry for entry in settled.known.entries if entry.ours]
    lacking = missing(settled.known, seen.tags)
    found.read += 1
    if lacking:
        found.lacking += 1
    if lacking and len(lacking) == len(ours):
        found.bare += 1
        if len(ours) >= _HELD_TAGS:
            found.to_hold.append((row_id, seen.item.path))


def alarm(target: OpenTarget, found: Survey) -> str:
    """What to say, and do, about a target that looks restored from a copy."""
    if found.bare == found.lacking:
        what = f"shows none of the tags written to {found.bare:,} photos"
    else:
        what = f"lacks tags that were written to {found.lacking:,} photos"
    return (
        f"{target.target.label} {what}. Was it restored? Nothing was written. "
        "`tigertag write --restore` writes them again, `tigertag write --accept` takes it as your wish."
    )


def hold(work: Work, target: OpenTarget, found: Survey, tally: Tally) -> None:
    """Holds back single items that lost all of our tags, until a person says what was meant."""
    reason = (
        f"{target.target.label} shows none of its tags any more; held back "
        "(`tigertag write --restore` or `--accept`)"
    )
    with work.database.session() as session:
        ids = [row_id for row_id, _ in found.to_hold]
        for row in ledger.deliveries(session, target.row_id, ids, work.now()).values():
            ledger.set_delivery(row, "held", work.now(), reason=reason)
    for _, path in found.to_hold:
        tally.fail(path, reason, code=9)


def look_again(how: Delivering) -> Steps:
    """Reads items again whose settled writes may have taken effect since: a late addition is ours."""
    for part in items.chunks(list(how.doubtful), BATCH):
        yield from _look_again_at(how, part)


def _look_again_at(how: Delivering, part: Sequence[int]) -> Steps:
    with how.work.database.reading() as session:
        batch = items.by_ids(session, part)
    rows = {(item.source, item.key): row_id for row_id, (item, _) in batch.items()}
    shown = yield lambda: list(how.target.target.read([item for item, _ in batch.values()]))
    with how.work.database.session() as session:
        _own_late_additions(session, how, rows, shown)


def _own_late_additions(
    session: Session, how: Delivering, rows: dict[tuple[str, str], int], shown: Reply
) -> None:
    late = {row_id: how.doubtful[row_id] for row_id in rows.values()}
    for seen in shown:
        if not isinstance(seen, Shown) or seen.presence is not Presence.HERE:
            continue
        row_id = rows[seen.item.source, seen.item.key]
        there = {fold(name) for name in seen.tags}
        known = {row.fold for row in ledger.entries(session, how.target.row_id, [row_id])[row_id]}
        for edit in ledger.edits_by_ids(session, late[row_id]):
            if edit.fold in there and edit.fold not in known:
                edit.state = "confirmed"
                session.add(ledger_row(how, row_id, as_entry(edit)))
                known.add(edit.fold)
                ledger.mark_pending(session, how.target.row_id, [row_id], how.work.now())


def bring_in_line(how: Delivering, *, everything: bool = False, guarded: bool = True) -> None:
    """Writes all that is pending for a target, after a look at whether it was restored from a copy.

    `everything` looks at every item that shows tags of ours, or should (`write --verify`). `guarded=False` is
    a person's word on what is missing (`--restore`, `--accept`). Raises what the target raises.
    """
    work, target = how.work, how.target
    take_up(work, target)
    if everything or _policy_changed(work, target):
        replan(work, target)
    with work.database.reading() as session:
        ours = ledger.items_with_ours(session, target.row_id)
        states = ("pending",) if guarded else ("pending", "held")
        ids = ledger.pending(session, target.row_id, states=states)
        if everything:
            ids = list(dict.fromkeys((*ids, *ledger.to_verify(session, target.row_id, held=not guarded))))
    shown = [row_id for row_id in ids if row_id in ours]
    if guarded and shown and not _is_safe(how, shown, ids):
        return
    for part in items.chunks(ids, BATCH):
        if work.stop.is_set():
            return
        drive(deliver(how, part))
    if how.doubtful and not work.stop.is_set():
        drive(look_again(how))
        how.doubtful.clear()


def _policy_changed(work: Work, target: OpenTarget) -> bool:
    with work.database.reading() as session:
        row = ledger.find_target(session, target.target.identity)
        return row is None or row.policy != work.policy.fingerprint


def looks_restored(how: Delivering, due: Sequence[int] = ()) -> bool:
    """Whether the target looks restored from a copy (P20), before a run writes anything.

    Looked at are the items that the run is about to work on, where they are enough to tell, and some others:
    where just one photo is new the rest may have lost its tags all the same.
    """
    with how.work.database.reading() as session:
        ours = ledger.items_with_ours(session, how.target.row_id)
        others = [row for row in ledger.with_photo(session, as_it_lies=True) if row in ours - set(due)]
    shown = [row_id for row_id in due if row_id in ours]
    return _is_alarming(how, shown, sure=True) or _is_alarming(how, _spread(others), sure=False)


def _spread(ids: Sequence[int]) -> Sequence[int]:
    """So many as one request reads, from the whole length."""
    return ids[:: -(-len(ids) // BATCH) or 1]


def _is_alarming(how: Delivering, ids: Sequence[int], *, sure: bool) -> bool:
    """Looks, and puts the target aside where it looks restored. Unless `sure`, only items that lost all of our
    tags count: an owner may remove one tag everywhere, and need not be asked before the next scan.
    """
    if len(ids) < _RESTORED_ITEMS:
        return False
    found = survey(how.work, how.target, ids)
    if not sure:
        found.lacking = found.bare
    if found.looks_restored:
        how.tally.put_aside(how.target.target.label, Refused(alarm(how.target, found)))
    return found.looks_restored


def _is_safe(how: Delivering, shown: Sequence[int], ids: list[int]) -> bool:
    """Looks at what should be there. Takes items to be held out of `ids`."""
    found = survey(how.work, how.target, shown)
    if found.looks_restored:
        how.tally.put_aside(how.target.target.label, Refused(alarm(how.target, found)))
        return False
    hold(how.work, how.target, found, how.tally)
    held = {row_id for row_id, _ in found.to_hold}
    ids[:] = [row_id for row_id in ids if row_id not in held]
    return True
