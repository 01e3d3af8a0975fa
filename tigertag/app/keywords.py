"""Keyword lists of other programs: into the vocabulary, and out of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tigertag.app.context import App
from tigertag.app.tags import tags
from tigertag.config.vocabulary import read_vocabulary
from tigertag.config.vocabulary_edit import with_terms
from tigertag.errors import ConfigError, DiskError
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
    text = _text(path)
    form = form or recognise(text)
    listed = read(text, form)
    if listed.faults:
        raise ConfigError(*(f"{path} {fault}" for fault in listed.faults))
    taken = take(listed.keywords, app.settings.vocabulary)
    file = app.settings.vocabulary_file
    if taken.terms:
        before = _text(file) if file.exists() else ""
        _put(file, with_terms(before, taken.terms, str(file)), dry_run=dry_run)
    return Imported(form, file, [term.name for term in taken.terms], taken.known, taken.notes)


def export_keywords(app: App, form: Format, *, library: bool = False) -> tuple[list[str], list[str]]:
    """The lines of a list with all that the vocabulary speaks of, and with `library` also the tags that photos
    have. Then what could not be given, a sentence each.
    """
    words = app.settings.vocabulary
    lexicon = Lexicon(words)
    more = [lexicon.canonical(each.own) for each in tags(app) if each.photos] if library else []
    return give(words, form, more)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: save the file as UTF-8") from error


def _put(file: Path, text: str, *, dry_run: bool) -> None:
    """Writes a vocabulary beside its place, reads it there, and only then puts it in its place.

    Raises ConfigError where it would not be a vocabulary any more.
    """
    place = file.resolve()
    with tempfile.TemporaryDirectory() if dry_run else _beside(place) as folder:
        made = Path(folder) / place.name
        made.write_bytes(text.encode())
        faults: list[str] = []
        read_vocabulary(made, f"{file} with the keywords", faults)
        if faults:
            raise ConfigError(*faults, f"{file} is as it was")
        if not dry_run:
            _replace(made, place)


def _beside(place: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(dir=place.parent, prefix=".tigertag-")
    except OSError as error:
        raise DiskError(f"{place.parent} cannot be written to: {error.strerror or error}") from error


def _replace(made: Path, place: Path) -> None:
    try:
        if place.exists():
            shutil.copymode(place, made)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(place)
    except OSError as error:
        raise DiskError(f"{place} cannot be written: {error.strerror or error}") from error
