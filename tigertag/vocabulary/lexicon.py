"""What a name becomes under a vocabulary: which tag it is, how that is shown, and what lies above it. Pure.

A tag is known by its canonical name: that of its entry in `tags`, else the new name of a `rename`, else the
name that was said. Verdicts are about it, whichever language is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tigertag.model import Term, Vocabulary, fold
from tigertag.vocabulary.rule import Rule

_MOST_REMEMBERED = 200_000  # Words; a library's engines say fewer.
_NO_TERM = Term("")


@dataclass(frozen=True, slots=True)
class Word:
    """The tag that a name means."""

    canonical: str
    """Its own name, as it was spelled."""
    fold: str
    """The canonical name, folded."""
    shown: str
    """Its name in the language that is written."""
    barred: Rule | None
    """Why it is never written: DENIED, NOT_ALLOWED or CATEGORY; None where it may be."""
    path: tuple[str, ...]
    """The shown names above it, outermost first, without those that are denied."""
    above: tuple[Word, ...]
    """Those above it that are written with it, outermost first."""
    min_confidence: float | None
    agree: float


class Lexicon:
    """Looks words up in a vocabulary, and remembers them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._own, self._named, self._anywhere = _tables(vocabulary)
        self._words: dict[tuple[str, str], Word] = {}

    def word(self, name: str, language: str = "") -> Word:
        """The tag that `name` means where it is a word of `language`; empty: of an unknown one."""
        found = self._words.get((name, language))
        if found is None:
            if len(self._words) >= _MOST_REMEMBERED:
                self._words.clear()
            found = self._words[name, language] = self._look_up(name, language)
        return found

    def canonical(self, name: str, language: str = "") -> str:
        """The name that the tag is known by, as it was spelled.

        What is called so in the language that it was said in comes first, then names, synonyms and renames,
        then what is called so in another language, where that is one tag only.
        """
        key = fold(name)
        named = (self._named.get((each, key)) for each in wider(language))
        return next(filter(None, named), None) or self._own.get(key) or self._anywhere.get(key) or name

    def _look_up(self, name: str, language: str) -> Word:
        canonical = self.canonical(name, language)
        ancestors = [self._plain(each) for each in self._above(canonical)]
        path = tuple(each.shown for each in ancestors if each.barred is not Rule.DENIED)
        word = self._plain(canonical, said=name)
        above = self._written_above(ancestors) if self._vocabulary.writes_parents else ()
        return Word(
            word.canonical, word.fold, word.shown, word.barred, path, above, word.min_confidence, word.agree
        )

    def _plain(self, canonical: str, said: str = "") -> Word:
        """The word alone, without those above it."""
        key = fold(canonical)
        term = self._vocabulary.terms.get(key, _NO_TERM)
        shown = next((term.names[each] for each in self._vocabulary.languages if each in term.names), canonical)
        agree = self._vocabulary.agree if term.agree is None else term.agree
        barred = self._barred(term, {key, fold(shown), fold(said or canonical)})
        return Word(canonical, key, shown, barred, (), (), term.min_confidence, agree)

    def _barred(self, term: Term, names: set[str]) -> Rule | None:
        """A list that holds any of the names that a tag has holds the tag."""
        if not names.isdisjoint(self._vocabulary.deny):
            return Rule.DENIED
        if term.is_category:
            return Rule.CATEGORY
        if self._vocabulary.allow is not None and names.isdisjoint(self._vocabulary.allow):
            return Rule.NOT_ALLOWED
        return None

    def _above(self, canonical: str) -> list[str]:
        """The canonical names above one, outermost first."""
        return [*climb(canonical, self._vocabulary)][::-1]

    def _written_above(self, ancestors: list[Word]) -> tuple[Word, ...]:
        """The ancestors that may be written, each with its path."""
        written: list[Word] = []
        path: tuple[str, ...] = ()
        for each in ancestors:
            if each.barred is None:
                written.append(
                    Word(each.canonical, each.fold, each.shown, None, path, (), each.min_confidence, each.agree)
                )
            if each.barred is not Rule.DENIED:
                path = (*path, each.shown)
        return tuple(written)


def climb(name: str, vocabulary: Vocabulary) -> Iterator[str]:
    """The names above a canonical one, innermost first."""
    parent = vocabulary.parents.get(fold(name))
    while parent:
        yield parent
        parent = vocabulary.parents.get(fold(parent))


def wider(language: str) -> tuple[str, ...]:
    """`de_CH` is `de-ch`, then `de`: engines and people name languages as they like. Empty for none."""
    if not language:
        return ()
    exact = language.replace("_", "-").casefold()
    return tuple(dict.fromkeys((exact, exact.partition("-")[0])))


def _tables(vocabulary: Vocabulary) -> tuple[dict[str, str], dict[tuple[str, str], str], dict[str, str]]:
    """Canonical names by what is said: in no language, in one, and in any where it is one tag only."""
    terms = vocabulary.terms
    own = {
        key: terms[fold(name)].name if fold(name) in terms else name for key, name in vocabulary.rename.items()
    }
    named: dict[tuple[str, str], str] = {}
    anywhere: dict[str, str] = {}
    for term in terms.values():
        own.update(dict.fromkeys(map(fold, term.synonyms), term.name))
        for language, name in term.names.items():
            named[language, fold(name)] = term.name
            known = anywhere.setdefault(fold(name), term.name)
            if known != term.name:
                anywhere[fold(name)] = ""
    own.update({key: term.name for key, term in terms.items()})
    return own, named, {key: name for key, name in anywhere.items() if name}
