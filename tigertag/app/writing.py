"""`write`, `undo` and `verdicts lift`: what becomes of tags without an engine call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from tigertag.app.context import App, Run
from tigertag.app.previewing import Difference, WriteOrder, preview
from tigertag.app.servers import known_targets
from tigertag.app.words import learn_new_words
from tigertag.errors import ConfigError, PluginDown, TransientError
from tigertag.pipeline.record import Delivering
from tigertag.pipeline.survey import bring_in_line
from tigertag.pipeline.undo import Reversal, Selection, select_redo, select_undo, take_back
from tigertag.pipeline.work import Tally
from tigertag.pipeline.write import drive
from tigertag.store import find, items, ledger, runs
from tigertag.store.database import Database

__all__ = [
    "Difference",
    "UndoOrder",
    "UndoPreview",
    "WriteOrder",
    "WriteReport",
    "lift_verdicts",
    "preview",
    "preview_undo",
    "undo",
    "write",
]


@dataclass(slots=True)
class WriteReport:
    """What was written, or taken back."""

    run_id: int | None
    tally: Tally
    overtaken: list[tuple[str, str]] = field(default_factory=list)
    """Path and tag of what a later run changed again: left as it is."""

    @property
    def exit_code(self) -> int:
        return self.tally.exit_code


def write(app: App, order: WriteOrder) -> WriteReport:
    """Brings all targets in line with the answers, the policy and the verdicts."""
    with app.running("write", wait=order.wait) as run, ExitStack() as stack:
        learn_new_words(app, run)
        word = order.restore or order.accept
        everything = order.verify or word
        for target in known_targets(app, run.work.database, stack, run.tally):
            how = Delivering(run.work, target, run.tally, learn=not order.restore)
            try:
                bring_in_line(how, everything=everything, guarded=not word, even_idle=not everything)
            except (PluginDown, TransientError) as error:
                run.tally.put_aside(target.target.label, error)
    return WriteReport(run.work.run_id, run.tally)


# ── undo ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class UndoOrder:
    """What is to be taken back: one of these, or with `everything` all that is ours."""

    run_id: int | None = None
    last: bool = False
    engine: str | None = None
    tag: str | None = None
    source: str | None = None
    everything: bool = False
    redo: bool = False
    wait: bool = False


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would do."""

    run_id: int | None
    adds: int
    removes: int
    items: int
    shared: int
    """Tags that stay because another engine wants them too."""
    overtaken: int
    lines: tuple[tuple[str, str, str], ...]
    """Path, `+` or `-`, tag."""


def preview_undo(app: App, order: UndoOrder) -> UndoPreview:
    """What `undo` would do, read from the journal alone. Raises ConfigError where the run is not known."""
    with app.looking() as database, database.reading() as session:
        chosen = _selection(database, order)
        found = (select_redo if order.redo else select_undo)(session, chosen)
        paths = items.paths(session, [each.item_id for each in found.inverses])
    return UndoPreview(
        chosen.run_id,
        adds=sum(each.action == "add" for each in found.inverses),
        removes=sum(each.action == "remove" for each in found.inverses),
        items=len({each.item_id for each in found.inverses}),
        shared=len(found.shared),
        overtaken=len(found.overtaken),
        lines=tuple(
            (paths[each.item_id], "+" if each.action == "add" else "-", each.entry.name)
            for each in found.inverses
        ),
    )


def undo(app: App, order: UndoOrder) -> WriteReport:
    """Takes back what was written, or with `redo` brings it back. Twice is once."""
    with app.running("undo", _words(order), wait=order.wait) as run, ExitStack() as stack:
        database = run.work.database
        with database.reading() as session:
            found = (select_redo if order.redo else select_undo)(session, _selection(database, order))
            paths = items.paths(session, [row.item_id for row in found.overtaken])
        database.transact(lambda session: _leave_to_others(session, found))
        _take_back(app, run, stack, found, redo=order.redo)
    return WriteReport(run.work.run_id, run.tally, [(paths[row.item_id], row.name) for row in found.overtaken])


def _leave_to_others(session: Session, found: Reversal) -> None:
    """Tags that another engine wants, too, stay as its own."""
    for ledger_id, others in found.shared:
        ledger.set_engines(session, ledger_id, others)


def _take_back(app: App, run: Run, stack: ExitStack, found: Reversal, *, redo: bool) -> None:
    targets = {each.row_id: each for each in known_targets(app, run.work.database, stack, run.tally)}
    wanted = {each.target_id for each in found.inverses}
    with run.work.database.reading() as session:
        labels = {each.id: each.label for each in ledger.targets(session)}
    # One that does not answer, or is another, was told of, and may be the one that was written to.
    for row_id in () if run.tally.aside else sorted(wanted - targets.keys()):
        words = (
            "was written to and is not set up any more; its tags were left as they are. Set it up again first."
        )
        run.tally.put_aside(f"target {row_id}", ConfigError(f"{labels[row_id]} {words}"))
    for row_id, target in targets.items():
        mine = [each for each in found.inverses if each.target_id == row_id]
        how = Delivering(run.work, target, run.tally)
        try:
            drive(take_back(how, mine, lift=redo))
        except (PluginDown, TransientError) as error:
            run.tally.put_aside(target.target.label, error)


def _words(order: UndoOrder) -> str:
    parts = [
        f"run {order.run_id}" if order.run_id is not None else "",
        "last" if order.last else "",
        f"engine {order.engine}" if order.engine else "",
        f"tag {order.tag}" if order.tag else "",
        f"source {order.source}" if order.source else "",
        "all" if order.everything else "",
        "redo" if order.redo else "",
    ]
    return ", ".join(part for part in parts if part)


def _selection(database: Database, order: UndoOrder) -> Selection:
    """The order as rows. Raises ConfigError for a run or source that there is not, or no order at all."""
    with database.reading() as session:
        run_id = order.run_id
        if order.last:
            run_id = runs.last_writing(session, undo=order.redo)
            if run_id is None:
                raise ConfigError(
                    "Nothing has been taken back yet" if order.redo else "No run has written anything yet"
                )
        elif run_id is not None and runs.get(session, run_id) is None:
            raise ConfigError(f"There is no run {run_id}; `tigertag runs` lists them")
        within = None
        if order.source is not None:
            within = find.items_meant(session, order.source)
            if within is None:
                known = ", ".join(items.source_labels(session)) or "none"
                raise ConfigError(f"There is no source or section `{order.source}`; known are: {known}")
    if not (order.everything or order.engine or order.tag or order.source or run_id is not None):
        raise ConfigError("Say what to take back: a run, --last, --engine, --tag, --source or --all")
    return Selection(run_id, order.engine, order.tag, within)


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────


def lift_verdicts(app: App, ids: Sequence[int]) -> int:
    """Lifts verdicts, so that the next write may add those tags again. Returns how many there were."""
    with app.running("verdicts lift", ", ".join(map(str, ids))) as run:
        return run.work.database.transact(lambda session: _lift(session, set(ids)))


def _lift(session: Session, ids: set[int]) -> int:
    mine = [row for row, _ in ledger.all_verdicts(session) if row.id in ids]
    ledger.lift(session, [row.id for row in mine])
    ledger.redeliver(session, sorted({row.item_id for row in mine}))
    for row in mine:
        ledger.redeliver_copies(session, row.item_id, row.photo_id)
    return len(mine)
