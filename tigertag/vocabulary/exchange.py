"""Between a vocabulary and the lists of other programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tigertag.model import Term, Vocabulary, fold
from tigertag.vocabulary import digikam, lightroom
from tigertag.vocabulary.keyword import Keyword, Listed, folded, lines_of
from tigertag.vocabulary.lexicon import Lexicon, climb
from tigertag.vocabulary.rule import Rule

Format = Literal["lightroom", "digikam"]
_READ = {"lightroom": lightroom.read, "digikam": digikam.read}
_WRITE = {"lightroom": lightroom.write, "digikam": digikam.write}
_TROUBLE = {"lightroom": lightroom.trouble_with_name, "digikam": digikam.trouble_with_name}


def recognise(text: str) -> Format:
    """What a list looks like: one of digiKam has a `/`, and no line with a tab, brackets or braces."""
    lines = [line for line in lines_of(text) if line.strip()]
    is_lightroom = any(line[0] in "\t[{" for line in lines) or not any("/" in line for line in lines)
    return "lightroom" if is_lightroom else "digikam"


def read(text: str, form: Format) -> Listed:
    """The keywords of a list, and what could not be understood."""
    return _READ[form](text)


# ── into a vocabulary ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Taken:
    """What a vocabulary lacks of a list."""

    terms: list[Term] = field(default_factory=list)
    known: int = 0
    """Keywords that it has already; they stay as they are."""
    notes: list[str] = field(default_factory=list)
    """What could not be taken over as it was, a sentence each."""


def take(keywords: Iterable[Keyword], vocabulary: Vocabulary) -> Taken:
    """The entries that a vocabulary lacks. In a vocabulary a name has one place and one meaning: the first."""
    taken = Taken()
    listed = [*keywords]
    means = _meanings(vocabulary)
    parents = dict(vocabulary.parents)
    first: dict[str, Keyword] = {}
    for keyword in listed:
        key = fold(keyword.name)
        before = first.setdefault(key, keyword)
        if before is not keyword:
            if folded(before.path) != folded(keyword.path):
                taken.notes.append(
                    f"line {keyword.line}: `{keyword.name}` has its place in line {before.line} already"
                )
        elif key in means:
            taken.known += 1
            if means[key] != key:
                taken.notes.append(f"line {keyword.line}: `{keyword.name}` is another name of `{means[key]}`")
    new = [each for key, each in first.items() if key not in means]
    means |= {fold(each.name): fold(each.name) for each in new}
    for keyword in new:
        taken.terms.append(
            Term(
                keyword.name,
                _parent(keyword, means, parents, taken),
                _synonyms(keyword, means, taken),
                is_category=keyword.is_category,
            )
        )
    return taken


def _meanings(vocabulary: Vocabulary) -> dict[str, str]:
    """Every name that a vocabulary speaks of, with the tag that it means, both folded."""
    found = {key: fold(new) for key, new in vocabulary.rename.items()}
    for key, term in vocabulary.terms.items():
        found.update({fold(name): key for name in (*term.names.values(), *term.synonyms)})
    return found | {key: key for key in vocabulary.terms}


def _parent(keyword: Keyword, means: dict[str, str], parents: dict[str, str], taken: Taken) -> str | None:
    """The name above, unless it lies below already."""
    if not keyword.path:
        return None
    key, above = fold(keyword.name), fold(keyword.path[-1])
    above = means.get(above, above)
    way = [above, *map(fold, climb(above, Vocabulary(parents=parents)))]
    if key in way:
        taken.notes.append(
            f"line {keyword.line}: `{keyword.name}` cannot lie below `{keyword.path[-1]}`, which lies below it"
        )
        return None
    parents[key] = above
    return keyword.path[-1]


def _synonyms(keyword: Keyword, means: dict[str, str], taken: Taken) -> tuple[str, ...]:
    """Those that mean nothing else."""
    key = fold(keyword.name)
    found: dict[str, str] = {}
    for synonym in keyword.synonyms:
        meant = means.setdefault(fold(synonym), key)
        if meant != key:
            taken.notes.append(
                f"line {keyword.line}: the synonym `{synonym}` is left out: it means `{meant}` already"
            )
        elif fold(synonym) != key:
            found.setdefault(fold(synonym), synonym)
    return tuple(found.values())


# ── out of a vocabulary ───────────────────────────────────────────────────────────────────────────────────


def give(vocabulary: Vocabulary, form: Format, more: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """The lines of a list: all tags that a vocabulary speaks of, `more` tags by canonical name, and what lies
    above them, in the language that is written. Then what could not be given, a sentence each.
    """
    lexicon = Lexicon(vocabulary)
    named = [*(term.name for term in vocabulary.terms.values()), *vocabulary.rename.values(), *more]
    canonical = {fold(name): name for each in named for name in (lexicon.canonical(each),)}
    for name in [*canonical.values()]:
        canonical.update({fold(above): above for above in climb(name, vocabulary)})
    words = [lexicon.word(name) for name in canonical.values()]
    shown = {word.shown for word in words if word.barred is not Rule.DENIED}
    troubled = {name: reason for name in sorted(shown) if (reason := _TROUBLE[form](name))}
    also = _other_names(vocabulary)
    keywords = [
        Keyword(
            word.shown,
            tuple(name for name in word.path if name not in troubled),
            tuple(name for name in also.get(word.fold, ()) if fold(name) != fold(word.shown)),
            word.barred is Rule.CATEGORY,
        )
        for word in words
        if word.shown in shown and word.shown not in troubled
    ]
    once = {folded((*each.path, each.name)): each for each in reversed(keywords)}
    notes = [f"`{name}` is left out: it {reason}" for name, reason in troubled.items()]
    return _WRITE[form]([once[place] for place in sorted(once)]), notes


def _other_names(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """The folded canonical names with all other names of the tag."""
    found = {
        key: (term.name, *term.synonyms, *(name for _, name in sorted(term.names.items())))
        for key, term in vocabulary.terms.items()
    }
    for old, new in vocabulary.rename.items():
        key = fold(new)
        found[key] = (*found.get(key, (new,)), old)
    return {
        key: tuple({fold(name): name for name in reversed(names)}.values())[::-1]
        for key, names in found.items()
    }
