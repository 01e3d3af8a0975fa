"""A house to test in: the use cases over a stage in memory and a real database."""

from __future__ import annotations

import io
import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete, select

from tests.fakes_pipeline import MindEngine, ShelfSource, WallTarget
from tests.stage import DAY, STAGES, Fuse, Killed, Mind, Stage, drawn
from tigertag.app import context, retagging, scanning, writing
from tigertag.app.scanning import ScanOrder, ScanReport
from tigertag.app.writing import UndoOrder, WriteOrder, WriteReport
from tigertag.config import Declared, Settings
from tigertag.media import open_photo
from tigertag.model import Annotation, Vocabulary, fold
from tigertag.options import EngineOptions
from tigertag.pipeline.choose import Choice
from tigertag.store import tables
from tigertag.store.database import Database

R = TypeVar("R", bound=tables.Base)
T = TypeVar("T")

_numbers = itertools.count()


def content_id(content: bytes) -> str:
    with open_photo(io.BytesIO(content), "photo") as photo:
        return photo.content_id


@dataclass
class House:
    """One library with its engines, its target and its owner."""

    database: Database
    """For looking: the runs open their own."""
    url: str
    stage: Stage = field(default_factory=lambda: Stage(f"stage {next(_numbers)}"))
    engines: dict[str, Declared] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    vocabulary_file: Path = Path("vocabulary.yaml")
    now: datetime = DAY

    def __post_init__(self) -> None:
        STAGES[self.stage.name] = self.stage

    def close(self) -> None:
        del STAGES[self.stage.name]

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────

    def photo(self, key: str, *said: Annotation, number: int | None = None, by: str = "") -> str:
        """Puts a new picture on the shelf, about which an engine (the first one) says this. Its content id."""
        content = drawn(len(self.stage.shelf.photos) + 1 if number is None else number)
        self.stage.shelf.put(key, content)
        found = content_id(content)
        if said:
            self.mind(by).says[found] = list(said)
        return found

    def engine(self, name: str, **options: object) -> Mind:
        """Sets an engine up, or sets its options anew."""
        mind = self.stage.minds.setdefault(name, Mind())
        made = MindEngine.Options.model_validate({"stage": self.stage.name, "mind": name, **options})
        self.engines[name] = Declared(name, "engine", "tests.fakes_pipeline.MindEngine", made)
        return mind

    def change(self, name: str, **options: object) -> None:
        """Changes some options of an engine."""
        declared = self.engines[name]
        self.engines[name] = replace(declared, options=declared.options.model_copy(update=options))

    def enable(self, name: str, enabled: bool = True) -> None:
        self.engines[name] = replace(self.engines[name], enabled=enabled)

    def mind(self, name: str = "") -> Mind:
        return self.stage.minds[name or next(iter(self.engines))]

    @property
    def wall(self) -> dict[str, set[str]]:
        """The folded tags on each photo that shows any."""
        return {key: set(tags) for key, tags in sorted(self.stage.wall.tags.items()) if tags}

    @property
    def app(self) -> context.App:
        stage = self.stage.name
        settings = Settings(
            db_url=self.url,
            db_url_shown="the database",
            sources=(
                Declared(
                    "shelf", "source", "tests.fakes_pipeline.ShelfSource", ShelfSource.Options(stage=stage)
                ),
            ),
            engines=tuple(self.engines.values()),
            targets=(
                Declared(
                    "wall",
                    "target",
                    "tests.fakes_pipeline.WallTarget",
                    WallTarget.Options.model_validate({"stage": stage}),
                ),
            ),
            vocabulary=self.vocabulary,
            vocabulary_file=self.vocabulary_file,
            shown=(),
            warnings=(),
            state_dir=Path(tempfile.gettempdir(), "tigertag-house"),
        )
        return context.App(settings, now=lambda: self.now, executor="threads?workers=2")

    # ── what can be done ──────────────────────────────────────────────────────────────────────────────────

    def scan(self, **choice: object) -> ScanReport:
        """A scan with the given fields of `Choice`, or of `ScanOrder` (`engines`, `write`, `order`)."""
        fields = {name: choice.pop(name) for name in ("engines", "write", "sure", "order") if name in choice}
        return scanning.scan(self.app, ScanOrder(choice=Choice(**choice), **fields))  # type: ignore[arg-type]

    def retag(self, *places: str, sure: bool = True) -> ScanReport:
        return retagging.retag(self.app, retagging.RetagOrder(places=places, sure=sure))

    def write(self, **order: bool) -> WriteReport:
        return writing.write(self.app, WriteOrder(**order))

    def undo(self, run_id: int | None = None, **order: object) -> WriteReport:
        return writing.undo(self.app, UndoOrder(run_id=run_id, **order))  # type: ignore[arg-type]

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def killed_at(self, step: int, act: Callable[[], object]) -> bool:
        """Runs `act` in a process that dies at its n-th step. False where it ended before that."""
        self.stage.fuse = Fuse(step)
        try:
            act()
        except Killed:
            pass
        finally:
            was_killed = self.stage.fuse.is_blown
            self.stage.fuse = Fuse()
        with self.database.session() as session:
            session.execute(delete(tables.RunLock))  # a dead holder's lock frees itself
        return was_killed

    # ── what is kept ──────────────────────────────────────────────────────────────────────────────────────

    def rows(self, table: type[R]) -> Sequence[R]:
        with self.database.reading() as session:
            return session.scalars(select(table)).all()

    def ledger(self) -> set[tuple[str, str, str, tuple[str, ...]]]:
        """Key, folded name, origin and engines of each entry."""
        keys = {row.id: row.key for row in self.rows(tables.ItemRow)}
        return {
            (keys[row.item_id], row.fold, row.origin, tuple(row.engines)) for row in self.rows(tables.Ledger)
        }

    def ours(self, key: str) -> set[str]:
        return {name for each, name, origin, _ in self.ledger() if each == key and origin == "ours"}

    def verdicts(self) -> set[tuple[str, str, str]]:
        """Key, canonical name and value."""
        keys = {row.id: row.key for row in self.rows(tables.ItemRow)}
        return {(keys[row.item_id], row.canonical, row.value) for row in self.rows(tables.Verdict)}

    def answered(self) -> set[tuple[str, int, str, str]]:
        """Content id, revision, input and state of each analysis."""
        ids = {row.id: row.content_id for row in self.rows(tables.PhotoRow)}
        return {
            (ids[row.photo_id], row.revision_id, row.input, row.state) for row in self.rows(tables.AnalysisRow)
        }

    def state(self) -> tuple[object, ...]:
        """All that a run is about: what hangs on the wall, and what is known of it."""
        open_edits = [row.id for row in self.rows(tables.Edit) if row.state == "intended"]
        return (self.wall, self.ledger(), self.verdicts(), self.answered(), open_edits)

    def in_doubt(self, key: str, name: str) -> bool:
        """Whether an edit of this tag on this photo cannot be told from ours at this moment."""
        ids = {row.key: row.id for row in self.rows(tables.ItemRow)}
        edits = [row for row in self.rows(tables.Edit) if row.item_id == ids.get(key)]
        open_edits = any(row.state == "intended" and row.fold == fold(name) for row in edits)
        return open_edits or fold(name) in self.ours(key)


def reason_of(house: House, key: str) -> tuple[str, str | None]:
    """State and reason of a photo's delivery."""
    ids = {row.key: row.id for row in house.rows(tables.ItemRow)}
    (found,) = (row for row in house.rows(tables.Delivery) if row.item_id == ids[key])
    return found.state, found.reason


def prefix_of(declared: Declared) -> str:
    assert isinstance(declared.options, EngineOptions)
    return declared.options.prefix
