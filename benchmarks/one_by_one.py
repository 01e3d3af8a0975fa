"""The baseline: the same work as a scan, by the same plugins, one photo at a time."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass

from tigertag.app.context import App, build_engine, build_source, build_target
from tigertag.contract.stand_ins import FakePermit
from tigertag.media import open_photo
from tigertag.model import Analysis, Annotation, Change, Engine, Item, Shown, Source, Target
from tigertag.pipeline.policy import Policy, wanted


@dataclass(slots=True)
class Spent:
    """Seconds of the two parts of the work."""

    photos: int = 0
    asking: float = 0.0
    """Fetch, decode, the engines' calls."""
    writing: float = 0.0
    """Read the tags, write them, read them back."""

    @property
    def photos_per_second(self) -> float:
        """Of the asking alone."""
        return self.photos / self.asking


def one_by_one(app: App) -> Spent:
    """Fetches, asks and writes photo after photo; nothing is remembered."""
    spent, permit = Spent(), FakePermit()
    with app.running("baseline") as run, ExitStack() as stack:
        database, settings = run.work.database, app.settings
        source = build_source(database, settings.sources[0], stack)
        engines = {each.id: build_engine(database, each, stack) for each in settings.engines}
        target = build_target(database, settings.targets[0], stack)
        for engine in engines.values():
            engine.start()
        for item in source.items():
            began = time.perf_counter()
            answers = _ask(source, item, engines, permit)
            asked = time.perf_counter()
            _write(target, item, answers, app.policy)
            spent.photos += 1
            spent.asking += asked - began
            spent.writing += time.perf_counter() - asked
    return spent


def _ask(
    source: Source, item: Item, engines: dict[str, Engine], permit: FakePermit
) -> dict[str, tuple[Annotation, ...]]:
    answers = {}
    with source.open(item) as stream:
        photo = open_photo(stream, item.path)
    photo.prepare(list(dict.fromkeys(each for engine in engines.values() for each in engine.renditions)))
    for name, engine in engines.items():
        for outcome in engine.analyze([photo], permit):
            if not isinstance(outcome, Analysis):
                raise outcome
            answers[name] = outcome.annotations
    photo.close()
    return answers


def _write(target: Target, item: Item, answers: dict[str, tuple[Annotation, ...]], policy: Policy) -> None:
    names = tuple(tag.name for tag in wanted(answers, policy))
    for seen in target.read([item]):
        if isinstance(seen, Shown):
            list(target.write([Change(item, add=names, shown=seen.tags)]))
