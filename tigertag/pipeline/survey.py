"""Which items of a target are to be looked at, and whether it is safe to write there.

A target whose tags of ours are missing in numbers was restored from a copy; that is no human's wish
(RELIABILITY P20), so it is looked at before the first write.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.orm import Session

from tigertag.errors import ItemError, Refused
from tigertag.model import Presence, Shown, fold
from tigertag.pipeline.caption import caption_of
from tigertag.pipeline.plan import missing
from tigertag.pipeline.policy import wanted
from tigertag.pipeline.record import Delivering, ledger_row
from tigertag.pipeline.rowset import RowSet
from tigertag.pipeline.standing import Standing, as_entry, look_up, settle, wanted_fingerprint
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.pipeline.write import BATCH, Reply, Steps, deliver, drive
from tigertag.store import answers, items, ledger, ours

_RESTORED_SHARE, _RESTORED_ITEMS, _HELD_TAGS = 0.2, 20, 3  # RELIABILITY P20
_DOUBTFUL_SHARE = 0.05


def take_up(work: Work, target: OpenTarget) -> None:
    """Items with intents of a dead run are to be looked at again."""

    def take(session: Session) -> None:
        ids = {edit.item_id for edit in ledger.intended(session, target.row_id)}
        ledger.mark_pending(session, target.row_id, sorted(ids), work.now())

    work.database.transact(take)


def replan(work: Work, target: OpenTarget) -> None:
    """Makes every item pending for which other tags are wanted than it was last brought in line with."""
    with work.database.reading() as session:
        rows = ledger.with_photo(session)
        last = ledger.delivered(session, target.row_id)
    for part in items.chunks(rows):
        work.database.transact(partial(_replan, work=work, target=target, part=part, last=last))
    work.database.transact(
        partial(ledger.set_policy, target_id=target.row_id, fingerprint=work.policy.fingerprint)
    )


def _replan(
    session: Session,
    *,
    work: Work,
    target: OpenTarget,
    part: Sequence[int],
    last: dict[int, str],
) -> None:
    changed = out_of_line(session, work, target, part, last)
    ledger.mark_pending(session, target.row_id, changed, work.now())


def out_of_line(
    session: Session, work: Work, target: OpenTarget, part: Sequence[int], last: dict[int, str]
) -> list[int]:
    """Those of `part` that the target accepts and that are wanted to look otherwise than when last planned."""
    nothing = wanted_fingerprint(())
    said = answers.said_of(session, part, list(work.policy.engines))
    seen = dict(zip(said, work.policy.see([*said.values()]), strict=True))
    return [
        row_id
        for row_id, (item, _) in items.by_ids(session, part).items()
        if target.target.accepts(item)
        and (last.get(row_id) or nothing)
        != wanted_fingerprint(wanted(seen[row_id], work.policy), caption_of(seen[row_id]))
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

    def add(self, other: Survey) -> None:
        """Counts in what a look at other items found."""
        self.read += other.read
        self.bare += other.bare
        self.lacking += other.lacking

    @property
    def looks_doubtful(self) -> bool:
        """Whether so many lack a tag that all the rest might be over the limit of P20.

        Of 200 or more from a target that is over it a twentieth or less would lack one once in a billion times.
        """
        return self.lacking > _DOUBTFUL_SHARE * self.read

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
    written = [entry for entry in settled.known.entries if entry.ours]
    lacking = missing(settled.known, seen.tags)
    found.read += 1
    if lacking:
        found.lacking += 1
    if lacking and len(lacking) == len(written):
        found.bare += 1
        if len(written) >= _HELD_TAGS:
            found.to_hold.append((row_id, seen.item.path))


def alarm(target: OpenTarget, found: Survey, *, begun: bool = False) -> str:
    """What to say, and do, about a target that looks restored from a copy; `begun` says that this was seen
    only after some had been written.
    """
    if found.bare == found.lacking:
        what = f"shows none of the tags written to {found.bare:,} photos"
    else:
        what = f"lacks tags that were written to {found.lacking:,} photos"
    return (
        f"{target.target.label} {what}. Was it restored? Nothing {'more ' if begun else ''}was written. "
        "`tigertag write --restore` writes them again, `tigertag write --accept` takes it as your wish."
    )


def hold(work: Work, target: OpenTarget, found: Survey, tally: Tally) -> None:
    """Holds back single items that lost all of our tags, until a person says what was meant."""
    reason = (
        f"{target.target.label} shows none of its tags any more; held back "
        "(`tigertag write --restore` or `--accept`)"
    )

    def put(session: Session) -> None:
        ids = [row_id for row_id, _ in found.to_hold]
        for row in ledger.deliveries(session, target.row_id, ids, work.now()).values():
            ledger.set_delivery(row, "held", work.now(), reason=reason)

    work.database.transact(put)
    for _, path in found.to_hold:
        tally.fail(path, reason, code=9)


def look_again(how: Delivering) -> Steps:
    """Reads items again whose settled writes may have taken effect since: a late addition is ours, and what a
    late removal took off is nobody's wish.
    """
    for part in items.chunks(list(how.doubtful), BATCH):
        yield from _look_again_at(how, part)


def _look_again_at(how: Delivering, part: Sequence[int]) -> Steps:
    with how.work.database.reading() as session:
        batch = items.by_ids(session, part)
    rows = {(item.source, item.key): row_id for row_id, (item, _) in batch.items()}
    shown = yield lambda: list(how.target.target.read([item for item, _ in batch.values()]))
    how.work.database.transact(partial(_take_late_writes, how=how, rows=rows, shown=shown))


def _take_late_writes(
    session: Session, how: Delivering, rows: dict[tuple[str, str], int], shown: Reply
) -> None:
    late = {row_id: how.doubtful[row_id] for row_id in rows.values()}
    for seen in shown:
        if not isinstance(seen, Shown) or seen.presence is not Presence.HERE:
            continue
        row_id = rows[seen.item.source, seen.item.key]
        there = {fold(name) for name in seen.tags}
        entries = {row.fold: row.origin for row in ledger.entries(session, how.target.row_id, [row_id])[row_id]}
        for edit in ledger.edits_by_ids(session, late[row_id]):
            if edit.action == "add" and edit.fold in there and edit.fold not in entries:
                ledger.add_entries(session, [ledger_row(how, row_id, as_entry(edit))])
                entries[edit.fold] = "ours"
            elif edit.action == "remove" and edit.fold not in there and entries.get(edit.fold) == "ours":
                ledger.forget(session, how.target.row_id, row_id, [edit.fold])
                del entries[edit.fold]
            else:
                continue
            edit.state = "confirmed"
            ledger.mark_pending(session, how.target.row_id, [row_id], how.work.now())


def bring_in_line(
    how: Delivering, *, everything: bool = False, guarded: bool = True, even_idle: bool = False
) -> None:
    """Writes all that is pending for a target, after a look at whether it was restored from a copy.

    `everything` looks at every item that shows tags of ours, or should (`write --verify`). `guarded=False` is
    a person's word on what is missing (`--restore`, `--accept`). `even_idle` looks whether it was restored also
    where there is nothing to write. Raises what the target raises.
    """
    work, target = how.work, how.target
    take_up(work, target)
    if everything or _policy_changed(work, target):
        replan(work, target)
    with work.database.reading() as session:
        states = ("pending",) if guarded else ("pending", "held")
        ids = ledger.pending(session, target.row_id, states=states)
        if everything:
            ids = list(dict.fromkeys((*ids, *ledger.to_verify(session, target.row_id, held=not guarded))))
        shown = ours.among(session, target.row_id, ids) if guarded else set()
    # A few say little: what is new would be written to a target that lost all the rest.
    are_few = len(shown) < (BATCH if even_idle else _RESTORED_ITEMS)
    if guarded and are_few and (ids or even_idle) and not how.looks_whole and looks_restored(how, ids):
        return
    if not _bring_all(how, ids, shown):
        return
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
    mine = RowSet(due)
    with how.work.database.reading() as session:
        found = ours.among(session, how.target.row_id, due)
        shown = array("q", (row_id for row_id in due if row_id in found))
        rows = ours.everywhere(session, how.target.row_id)
        others = array("q", (row_id for row_id in rows if row_id not in mine))
    is_alarming = _is_alarming(how, shown, sure=True) or _is_alarming(
        how, spread(others, how.work.run_id), sure=False
    )
    how.looks_whole = not is_alarming
    return is_alarming


def spread(ids: Sequence[int], run_id: int) -> Sequence[int]:
    """At most so many as one request reads: one by chance from each stretch of the whole length.

    Chance begins with the run's id: no pattern of items, whichever tags are missing, escapes every run.
    """
    stretch, chance = -(-len(ids) // BATCH) or 1, random.Random(run_id)
    return [chance.choice(ids[start : start + stretch]) for start in range(0, len(ids), stretch)]


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


def _bring_all(how: Delivering, ids: Sequence[int], shown: Collection[int]) -> bool:
    """Brings items in line, a batch at a time; those of `shown` should show tags of ours. False where it was
    stopped, or the target looks restored.

    Every item is read once before it is written. The first batch is taken from the whole length of `shown`;
    where that lacks more than chance would explain, or all that was read looks restored, the rest is looked at
    before it goes on.
    """
    found, is_whole = Survey(), False
    first = spread([row_id for row_id in ids if row_id in shown], how.work.run_id)
    others = set(ids).difference(first)
    left = set(shown)
    rest = items.chunks([row_id for row_id in ids if row_id in others], BATCH)
    for number, part in enumerate(part for part in (first, *rest) if part):
        if how.work.stop.is_set():
            return False
        seen = _read(how, part)
        here = _judged(how, [row_id for row_id in part if row_id in shown], seen)
        left.difference_update(part)
        if not is_whole:
            found.add(here)
        if not is_whole and (found.looks_restored or (number == 0 and found.looks_doubtful)):
            found.add(survey(how.work, how.target, sorted(left)))
            is_whole = True
            if found.looks_restored:
                begun = number > 0
                how.tally.put_aside(how.target.target.label, Refused(alarm(how.target, found, begun=begun)))
                return False
        hold(how.work, how.target, here, how.tally)
        held = {row_id for row_id, _ in here.to_hold}
        drive(deliver(how, [row_id for row_id in part if row_id not in held], seen))
    return True


def _read(how: Delivering, part: Sequence[int]) -> Mapping[int, Shown | ItemError]:
    """What the target shows at this moment, by row id."""
    with how.work.database.reading() as session:
        rows = {row_id: item for row_id, (item, _) in items.by_ids(session, part).items()}
    ids = {(item.source, item.key): row_id for row_id, item in rows.items()}
    how.work.guard()
    return {ids[seen.item.source, seen.item.key]: seen for seen in how.target.target.read(list(rows.values()))}


def _judged(how: Delivering, part: Sequence[int], seen: Mapping[int, Shown | ItemError]) -> Survey:
    """What was found of items that should show tags of ours."""
    found = Survey()
    with how.work.database.reading() as session:
        standings = look_up(session, how.work, how.target.row_id, part)
    for row_id, standing in standings.items():
        there = seen.get(row_id)
        if isinstance(there, Shown) and there.presence is Presence.HERE:
            _weigh(found, row_id, standing, there)
    return found
