"""Keyword lists of other programs: into the vocabulary, and out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tigertag.app.context import App
from tigertag.app.tags import tags
from tigertag.app.vocabulary_file import put, text_of
from tigertag.config.vocabulary_edit import with_terms
from tigertag.errors import ConfigError
from tigertag.vocabulary.exchange import Format, give, read, recognise, take
from tigertag.vocabulary.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list."""

    form: Format
    file: Path
    """The vocabulary."""
    added: list[str]
    """The names that it lacked."""
    known: int
    notes: list[str]
    """What could not be taken over as it was."""


def import_keywords(app: App, path: Path, form: Format | None = None, *, dry_run: bool = False) -> Imported:
    """Adds the keywords of a list to the vocabulary that is in use, and makes one where there is none.

    What it says already stays as it is, with its comments. Raises ConfigError with every line of the list that
    cannot be understood; then nothing is added.
    """
    text = text_of(path)
    form = form or recognise(text)
    listed = read(text, form)
    if listed.faults:
        raise ConfigError(*(f"{path} {fault}" for fault in listed.faults))
    taken = take(listed.keywords, app.settings.vocabulary)
    file = app.settings.vocabulary_file
    if taken.terms:
        before = text_of(file) if file.exists() else None
        put(file, before, with_terms(before or "", taken.terms, str(file)), dry_run=dry_run)
    return Imported(form, file, [term.name for term in taken.terms], taken.known, taken.notes)


def export_keywords(app: App, form: Format, *, library: bool = False) -> tuple[list[str], list[str]]:
    """The lines of a list with all that the vocabulary speaks of, and with `library` also the tags that photos
    have. Then what could not be given, a sentence each.
    """
    words = app.settings.vocabulary
    lexicon = Lexicon(words)
    more = [lexicon.canonical(each.own) for each in tags(app) if each.photos] if library else []
    return give(words, form, more)
