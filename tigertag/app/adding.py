"""`tags add`: a name that is looked for in photos, put into the owner's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tigertag.app.context import App
from tigertag.app.vocabulary_file import put, text_of
from tigertag.app.words import word_engines
from tigertag.config.vocabulary_edit import lines
from tigertag.config.vocabulary_tag import with_tag
from tigertag.errors import ConfigError
from tigertag.meaning.options import OWN, WordOptions
from tigertag.model import LONGEST_NAME, Term, Vocabulary, fold
from tigertag.vocabulary.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class Added:
    """What became of it."""

    file: Path
    """The vocabulary."""
    outcome: Literal["added", "changed", "known"]
    is_new_file: bool
    notes: list[str]
    """What keeps it from being found, a sentence each."""


def add_tag(
    app: App,
    name: str,
    prompts: Sequence[str] = (),
    group: str = "",
    threshold: float | None = None,
    *,
    dry_run: bool = False,
) -> Added:
    """Puts a tag into the vocabulary that is in use, and makes one where there is none. Twice is once.

    `threshold` is 0..1. What the vocabulary says already stays as it is, with its comments. Raises ConfigError
    where the file has no room for it; then it is as it was.
    """
    words, file = app.settings.vocabulary, app.settings.vocabulary_file
    asked = Term(_text(name), prompts=tuple(map(_text, prompts)), group=group and _text(group))
    asked = replace(asked, min_confidence=threshold)
    _raise_if_another(words, asked.name)
    there = words.terms.get(fold(asked.name))
    expected = asked if there is None else _merged(there, asked)
    notes = _notes(app, words, expected)
    if expected == there:
        return Added(file, "known", False, notes)
    before = text_of(file) if file.exists() else None
    by_hand = ConfigError(
        f"{file} leaves no room for it, and is as it was. Write below `tags:`", *lines([expected], "  ")
    )
    try:
        after = with_tag(before or "", replace(asked, name=expected.name), str(file))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}" if str(file) not in str(error) else str(error)) from error
    made = put(file, before, after, dry_run=True)
    if made.terms != {**words.terms, fold(asked.name): expected}:
        raise by_hand
    if not dry_run:
        put(file, before, after, dry_run=False)
    return Added(file, "added" if there is None else "changed", before is None, notes)


def _text(said: str) -> str:
    found = " ".join(said.split())
    if not found or len(found) > LONGEST_NAME or not found.isprintable():
        raise ConfigError(
            f"`{said}` is no name or prompt: it has 1 to {LONGEST_NAME} signs, all of them printable"
        )
    return found


def _raise_if_another(words: Vocabulary, name: str) -> None:
    """A synonym, a renamed or a foreign name is no tag of its own."""
    canonical = Lexicon(words).canonical(name)
    if fold(canonical) != fold(name):
        raise ConfigError(f"`{name}` is another name of `{canonical}` in the vocabulary: add prompts to that")


def _merged(there: Term, asked: Term) -> Term:
    """What is there, with what is asked for."""
    prompts = (*there.prompts, *(each for each in asked.prompts if each not in there.prompts))
    least = there.min_confidence if asked.min_confidence is None else asked.min_confidence
    return replace(there, prompts=prompts, group=asked.group or there.group, min_confidence=least)


def _notes(app: App, words: Vocabulary, term: Term) -> list[str]:
    found = []
    if term.is_category:
        found.append(f"`{term.name}` is a category in the vocabulary: it is never a tag itself")
    if fold(term.name) in words.deny or (words.allow is not None and fold(term.name) not in words.allow):
        found.append(f"`{term.name}` is denied, or not among those allowed: it will not be written")
    engines = word_engines(app)
    if not engines:
        found.append("no engine that looks for words is set up: pip install 'tigertag[clip]', then scan")
    for each in engines:
        assert isinstance(each.options, WordOptions)
        if OWN not in each.options.words:
            found.append(f"{each.id} does not look for it: add `{OWN}` to ENGINE_{each.id.upper()}_WORDS")
    return found
