"""Words that engines look for in stored vectors: what they mean to each model is learnt once, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from sqlalchemy.orm import Session

from tigertag.app import calibrating
from tigertag.config import Declared
from tigertag.errors import PluginDown
from tigertag.meaning import words as meaning
from tigertag.meaning.contrast import Contrast
from tigertag.meaning.options import GENERAL, OWN, WordOptions
from tigertag.meaning.packing import bytes_of
from tigertag.meaning.words import Word
from tigertag.model import JSON, fingerprint
from tigertag.pipeline.policy import Policy
from tigertag.pipeline.policy import Sight as Seeing
from tigertag.pipeline.work import OpenEngine
from tigertag.store import revisions, runs, vectors
from tigertag.store.database import Database
from tigertag.store.items import chunks

if TYPE_CHECKING:
    from tigertag.app.context import App, Run

_AT_ONCE = 128
"""Texts learnt together, and then kept."""
_CONTRAST = "contrast:"
"""Before a revision's row: where an engine remembers how that model's closeness becomes probability."""


class Understands(Protocol):
    """An engine whose options are `WordOptions`."""

    @property
    def contrast(self) -> Contrast: ...

    def understand(self, texts: Sequence[str]) -> list[str]:
        """The vector of each text, packed. Raises PluginDown."""
        ...


def word_engines(app: App) -> list[Declared]:
    """The enabled engines whose vectors become tags by words."""
    return [each for each in app.settings.engines if each.enabled and isinstance(each.options, WordOptions)]


def words_of(app: App, declared: Declared) -> tuple[Word, ...]:
    """What is looked for; of two words with one name the later source counts. Raises ConfigError."""
    assert isinstance(declared.options, WordOptions)
    found: list[Word] = []
    for source in declared.options.words:
        if source == GENERAL:
            found += meaning.general()
        elif source == OWN:
            found += meaning.of_terms(app.settings.vocabulary.terms, found)
        else:
            found += meaning.read(Path(source).expanduser())
    return meaning.merged(found)


def policy_over(app: App, database: Database, *, learns: bool = False) -> Policy:
    """The policy with all words that were learnt so far, as sure as the owner's answers make them.

    `learns`: what the owner has said since is taken in, and kept. Raises ConfigError.
    """
    sights: dict[str, Seeing] = {}
    for each in word_engines(app):
        words = words_of(app, each)
        with database.reading() as session:
            models = contrasts(session, each)
        if models:  # else no photo was looked at, and numpy need not be there
            sights[each.id] = _sight(app, database, each, words, models, learns=learns)
    return replace(app.policy, sights=sights)


def _sight(
    app: App,
    database: Database,
    declared: Declared,
    words: Sequence[Word],
    models: Mapping[int, Contrast],
    *,
    learns: bool,
) -> Seeing:
    from tigertag.meaning.sight import Lens, Sight, texts_of  # noqa: PLC0415 - numpy comes with the extra

    with database.reading() as session:
        lenses = {
            revision: Lens(words, vectors.words(session, revision, texts_of(words, contrast)), contrast)
            for revision, contrast in models.items()
        }
        known = calibrating.known(session, declared.id)
    if learns:
        known = calibrating.calibrate(database, declared.id, app.settings.vocabulary, lenses)
    return Sight(words, lenses, {revision: each.calibration for revision, each in known.items()})


def contrasts(session: Session, declared: Declared) -> dict[int, Contrast]:
    """Of each model that has learnt words, by revision."""
    found = {}
    for key, value in runs.remembered(session, f"engine:{declared.id}"):
        if key.startswith(_CONTRAST) and isinstance(value, Mapping):
            found[int(key.removeprefix(_CONTRAST))] = _contrast(value)
    return found


def _contrast(value: Mapping[str, JSON]) -> Contrast:
    """As `learn` remembered it."""
    default = Contrast.of("sigmoid" if value.get("kind") == "sigmoid" else "softmax")
    scale, bias = value.get("scale"), value.get("bias")
    return Contrast(
        default.kind,
        float(scale) if isinstance(scale, int | float) else default.scale,
        float(bias) if isinstance(bias, int | float) else default.bias,
    )


def learn(app: App, database: Database, declared: Declared, engine: Understands, revision_id: int) -> int:
    """Asks the model for the words that it was not asked for yet; how many texts. Raises PluginDown."""
    from tigertag.meaning.sight import texts_of  # noqa: PLC0415

    contrast = engine.contrast
    texts = texts_of(words_of(app, declared), contrast)
    with database.reading() as session:
        known = vectors.words(session, revision_id, texts)
    missing = [text for text in texts if text not in known]
    if missing:
        app.watch.say(f"{declared.id} learns {len(missing):,} texts to look for")
    for part in chunks(missing, _AT_ONCE):
        app.raise_if_stopped()
        meant = dict(zip(part, map(bytes_of, engine.understand(part)), strict=True))
        database.transact(lambda session, meant=meant: vectors.learn(session, revision_id, meant))  # type: ignore[misc]
    said = {"kind": contrast.kind, "scale": contrast.scale, "bias": contrast.bias}
    database.transact(
        lambda session: runs.remember(session, f"engine:{declared.id}", f"{_CONTRAST}{revision_id}", said)
    )
    return len(missing)


def look_with(app: App, run: Run, engines: Sequence[OpenEngine]) -> list[OpenEngine]:
    """Started engines learn what they are to look for, and the run writes by it; without those that cannot."""
    declared = {each.id: each for each in word_engines(app)}
    ready = []
    for each in engines:
        if each.name in declared:
            engine = cast("Understands", each.engine)
            try:
                learn(app, run.work.database, declared[each.name], engine, each.revision_id)
            except PluginDown as error:
                run.tally.put_aside(each.name, error)
                continue
        ready.append(each)
    if declared:
        run.work = replace(run.work, policy=policy_over(app, run.work.database, learns=True))
    return ready


def learn_new_words(app: App, run: Run) -> None:
    """Before tags are written without a scan: words that are new are learnt, if the model is still the same.

    A model that is not here any longer leaves the words as they were learnt.
    """
    from tigertag.app.context import build_engine  # noqa: PLC0415 - the context imports this module

    database = run.work.database
    for declared in word_engines(app):
        with database.reading() as session:
            row = revisions.newest(session, declared.id)
        if row is None or not _lacks(app, database, declared, row.id):
            continue
        with ExitStack() as stack:
            engine = build_engine(database, declared, stack)
            if fingerprint(dict(engine.settings)) != row.fingerprint:
                continue
            try:
                engine.start()
                learn(app, database, declared, cast("Understands", engine), row.id)
            except PluginDown as error:
                run.tally.put_aside(declared.id, error)
    if word_engines(app):
        run.work = replace(run.work, policy=policy_over(app, database, learns=True))


def _lacks(app: App, database: Database, declared: Declared, revision_id: int) -> bool:
    from tigertag.meaning.sight import texts_of  # noqa: PLC0415

    with database.reading() as session:
        contrast = contrasts(session, declared).get(revision_id)
        if contrast is None:
            return vectors.count(session, revision_id) > 0
        texts = texts_of(words_of(app, declared), contrast)
        return len(vectors.words(session, revision_id, texts)) < len(texts)
