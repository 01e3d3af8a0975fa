"""`write --dry-run`: what a write would do, item by item, and what it would learn on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from tigertag.app.context import App
from tigertag.app.servers import known_targets
from tigertag.app.words import policy_over
from tigertag.model import Presence, Shown
from tigertag.pipeline.place import to_move
from tigertag.pipeline.plan import Plan, Ruling, plan
from tigertag.pipeline.record import Delivering
from tigertag.pipeline.standing import Standing, look_up, settle
from tigertag.pipeline.survey import looks_restored, out_of_line
from tigertag.pipeline.work import OpenTarget, Tally, Work
from tigertag.pipeline.write import BATCH
from tigertag.store import items, ledger


@dataclass(frozen=True, slots=True)
class WriteOrder:
    """What `write` was asked for. `restore` and `accept` are a person's word on tags that are missing."""

    verify: bool = False
    restore: bool = False
    accept: bool = False
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What would be written to one item of one target."""

    target: str
    path: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    refused: tuple[str, ...] = ()
    """Tags of ours that are gone: they would be taken as removed by a human."""
    move: tuple[str, ...] = ()
    """Tags of ours that would lie elsewhere in the tree: `form/shape/square`."""


@dataclass(frozen=True, slots=True)
class _Looking:
    """A look at one target."""

    work: Work
    target: OpenTarget
    learn: bool
    learnt: dict[int, list[Ruling]] = field(default_factory=dict)
    """What was removed by hand, by row id, wherever others follow it."""

    def differences(self, ids: Sequence[int]) -> dict[tuple[int, int], Difference]:
        """By the rows of target and item."""
        parts = items.chunks(ids, BATCH)
        return {(self.target.row_id, row_id): each for part in parts for row_id, each in self._part(part)}

    def _part(self, part: Sequence[int]) -> Iterator[tuple[int, Difference]]:
        with self.work.database.reading() as session:
            standings = look_up(session, self.work, self.target.row_id, part)
        rows = {(each.item.source, each.item.key): row_id for row_id, each in standings.items()}
        for seen in self.target.target.read([each.item for each in standings.values()]):
            if isinstance(seen, Shown) and seen.presence is Presence.HERE:
                row_id = rows[seen.item.source, seen.item.key]
                found = self._difference(row_id, standings[row_id], seen)
                if found is not None:
                    yield row_id, found

    def _difference(self, row_id: int, standing: Standing, seen: Shown) -> Difference | None:
        settled, _ = settle(standing, seen.tags)
        known = replace(settled.known, rulings=[*settled.known.rulings, *self.learnt.get(row_id, ())])
        decided = plan(known, seen.tags, learn=self.learn, follow=self.target.follows)
        if self.target.is_followed and decided.refused:
            said = [Ruling(each.kind, each.canonical, "no", each.name, own=True) for each in decided.refused]
            self.learnt.setdefault(row_id, []).extend(said)
        move = to_move(settled, seen, decided)
        if not (decided.changes_target or decided.refused or move):
            return None
        return _told(self.target, seen, decided, _places(settled, move))


def preview(app: App, order: WriteOrder) -> tuple[list[Difference], Tally]:
    """What `write` would do, item by item. Reads the targets; changes nothing anywhere.

    A target that follows another is looked at with what would be learnt there, whichever comes first.
    """
    found: dict[tuple[int, int], Difference] = {}
    tally = Tally()
    with app.looking() as database, ExitStack() as stack:
        policy = policy_over(app, database, learns=True)
        work = Work(database, 0, policy, app.now, lambda: None, app.spool_of(database), app.stop, app.watch)
        learnt: dict[int, list[Ruling]] = {}
        targets = known_targets(app, database, stack, tally)
        looks = [_Looking(work, target, not order.restore, learnt) for target in targets]
        whole = []
        for look in looks:
            ids = _to_look_at(work, look.target, order)
            if order.restore or order.accept or not _warn(work, look.target, ids, tally):
                whole.append(look)
                found |= look.differences(ids)
        for look in whole:
            if look.target.follows:
                found |= look.differences(_accepted(look, learnt))
    return list(found.values()), tally


def _accepted(look: _Looking, ids: Iterable[int]) -> list[int]:
    with look.work.database.reading() as session:
        rows = items.by_ids(session, list(ids))
    return [row_id for row_id, (item, _) in rows.items() if look.target.target.accepts(item)]


def _to_look_at(work: Work, target: OpenTarget, order: WriteOrder) -> list[int]:
    with work.database.reading() as session:
        everything = order.verify or order.restore or order.accept
        states = ("pending", "held") if order.restore or order.accept else ("pending",)
        ids = set(ledger.pending(session, target.row_id, states=states))
        ids |= {edit.item_id for edit in ledger.intended(session, target.row_id)}
        if everything:
            ids |= set(ledger.to_verify(session, target.row_id, held=order.restore or order.accept))
        last = ledger.delivered(session, target.row_id)
        opened = ledger.with_photo(session, as_it_lies=True)
        for part in items.chunks(opened):
            ids |= set(out_of_line(session, work, target, part, last))
    return [row_id for row_id in opened if row_id in ids]


def _warn(work: Work, target: OpenTarget, ids: Sequence[int], tally: Tally) -> bool:
    """Whether the target looks restored from a copy, also where there is nothing to write to it (P20)."""
    return looks_restored(Delivering(work, target, tally), ids)


def _places(standing: Standing, names: Sequence[str]) -> tuple[str, ...]:
    paths = {tag.name.casefold(): tag.path for tag in standing.known.wanted}
    return tuple("/".join((*paths.get(name.casefold(), ()), name)) for name in names)


def _told(target: OpenTarget, seen: Shown, decided: Plan, move: tuple[str, ...]) -> Difference:
    return Difference(
        target.target.label,
        items.glob_path(seen.item.section, seen.item.path),
        add=tuple(tag.name for tag in decided.add),
        remove=tuple(entry.name for entry in decided.remove),
        refused=tuple(entry.name for entry in decided.refused if entry.ours),
        move=move,
    )
