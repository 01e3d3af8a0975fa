"""What can be seen without the lock: status, runs, photos, tags, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tigertag.app.context import App
from tigertag.app.limiting import Spent, spent_of
from tigertag.app.named import photo_named
from tigertag.errors import ConfigError
from tigertag.model import JSON
from tigertag.store import answers, find, items, ledger, photos, revisions, runs
from tigertag.store.answers import Answer
from tigertag.store.database import Database
from tigertag.store.tables import Run


@dataclass(frozen=True, slots=True)
class SourceStatus:
    label: str
    items: int
    waiting: int
    """Not opened yet, or changed since."""
    unreadable: int
    needs: dict[str, int]


@dataclass(frozen=True, slots=True)
class EngineStatus:
    id: str
    done: int
    waiting: int
    failed: int
    quota: JSON
    """As the last scan saw it: used, limit, left, until."""
    budget: Spent | None = None
    """As it stands now."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    label: str
    done: int
    waiting: int
    failed: int
    held: int


@dataclass(frozen=True, slots=True)
class Status:
    """How the library stands."""

    sources: list[SourceStatus]
    engines: list[EngineStatus]
    targets: list[TargetStatus]
    failures: list[tuple[str, str, str]]
    """Path, who it failed with, why."""
    last_run: RunLine | None
    running: str
    """Who holds the lock, in a sentence; empty for nobody."""
    kept_in: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """A past run."""

    id: int
    command: str
    arguments: str
    state: str
    exit_code: int | None
    started: datetime
    ended: datetime | None
    added: int
    removed: int
    summary: dict[str, JSON] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Photos that failed in it and had not failed before."""
        found = self.summary.get("failed")
        return found if isinstance(found, int) else 0


def status(app: App) -> Status:
    """Counts of what is done, waiting and failed. Opens no plugin."""
    with app.looking() as database, database.reading() as session:
        engines, failures = [], []
        last = next(iter(runs.latest(session, 1)), None)
        quotas = runs.last_quotas(session)
        for declared in app.settings.engines:
            revision = revisions.newest(session, declared.id) if declared.enabled else None
            if revision is None:
                none = EngineStatus(declared.id, 0, 0, 0, None, spent_of(session, declared, app.now()))
                engines += [none] if declared.enabled else []
                continue
            states = answers.counts(session, revision.id)
            engines.append(
                EngineStatus(
                    declared.id,
                    states.get("done", 0) + states.get("again", 0),
                    states.get("waiting", 0) + states.get("again", 0),
                    states.get("failed", 0),
                    quotas.get(declared.id),
                    spent_of(session, declared, app.now()),
                )
            )
            failures += [
                (path, declared.id, reason) for path, _, reason in answers.failures(session, [revision.id])
            ]
        failures += [(path, "reading", reason) for path, reason in find.unreadable(session)]
        targets = []
        for row in ledger.targets(session):
            counts = ledger.delivery_counts(session, row.id)
            targets.append(
                TargetStatus(
                    row.label,
                    counts.get("done", 0),
                    counts.get("pending", 0),
                    counts.get("failed", 0),
                    counts.get("held", 0),
                )
            )
            failures += [(path, row.label, reason) for path, _, reason in ledger.troubled(session, row.id)]
        return Status(
            [SourceStatus(*each) for each in find.source_counts(session)],
            engines,
            targets,
            failures,
            _run_line(database, last) if last else None,
            runs.lock_holder(session),
            app.settings.db_url_shown,
        )


def past_runs(app: App, limit: int = 20) -> list[RunLine]:
    """The newest first."""
    with app.looking() as database, database.reading() as session:
        return [_run_line(database, row) for row in runs.latest(session, limit)]


def _run_line(database: Database, row: Run) -> RunLine:
    with database.reading() as session:
        edits = ledger.edit_counts(session, row.id)
    return RunLine(
        row.id,
        row.command,
        row.arguments,
        row.state,
        row.exit_code,
        row.started,
        row.ended,
        edits.get("add", 0),
        edits.get("remove", 0),
        row.summary or {},
    )


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with its edits: path, `+` or `-`, tag, state (`done`, `taken back`, `in doubt`, `given up`)."""

    run: RunLine
    edits: list[tuple[str, str, str, str]]


def run_detail(app: App, run_id: int) -> RunDetail:
    """Raises ConfigError where there is no such run."""
    with app.looking() as database, database.reading() as session:
        row = runs.get(session, run_id)
        if row is None:
            raise ConfigError(f"There is no run {run_id}; `tigertag runs` lists them")
        return RunDetail(_run_line(database, row), find.edits_of(session, run_id))


# ── a photo ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TagShown:
    """A tag in a target's ledger."""

    target: str
    name: str
    ours: bool
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhotoDetail:
    """All that is known of an item and its photo."""

    path: str
    source: str
    key: str
    gone_since: datetime | None
    problem: str
    content_id: str
    width: int
    height: int
    copies: list[str]
    """The other places where the same picture lies."""
    answers: list[Answer]
    tags: list[TagShown]
    verdicts: list[tuple[int, str, str]]
    """Id, tag, value."""


def show(app: App, name: str) -> list[PhotoDetail]:
    """Every item that `name` means: path, Section/Album/Title, Plex key or URL, id prefix.

    Raises ConfigError where there is none.
    """
    with app.looking() as database, database.reading() as session:
        found = photo_named(session, name)
        return [_detail(database, item_id) for item_id in found]


def _detail(database: Database, item_id: int) -> PhotoDetail:
    with database.reading() as session:
        row, source, photo = find.item_row(session, item_id)
        said = answers.all_of(session, photo.id, row.input) if photo else []
        labels = {each.id: each.label for each in ledger.targets(session)}
        tags = [
            TagShown(label, entry.name, entry.origin == "ours", tuple(entry.engines))
            for target_id, label in labels.items()
            for entry in ledger.entries(session, target_id, [item_id])[item_id]
        ]
        verdicts = ledger.verdicts(session, [(item_id, row.photo_id)])[item_id]
        copies = (
            [each for each in photos.items_of(session, [(photo.id, "")]) if each != item_id] if photo else []
        )
        return PhotoDetail(
            path=items.glob_path(row.section, row.path),
            source=source.label,
            key=row.key,
            gone_since=row.gone_since,
            problem=row.problem or (f"needs tigertag[{row.needs}]" if row.needs else ""),
            content_id=photo.content_id if photo else "",
            width=photo.width if photo else 0,
            height=photo.height if photo else 0,
            copies=sorted(items.paths(session, copies).values()),
            answers=said,
            tags=tags,
            verdicts=[(each.id, each.name, each.value) for each in verdicts],
        )


@dataclass(frozen=True, slots=True)
class VerdictLine:
    id: int
    path: str
    tag: str
    kind: str
    value: str
    at: datetime


def verdicts(app: App) -> list[VerdictLine]:
    """What humans said about tags of ours."""
    with app.looking() as database, database.reading() as session:
        return [
            VerdictLine(row.id, path, row.name, row.kind, row.value, row.at)
            for row, path in ledger.all_verdicts(session)
        ]
