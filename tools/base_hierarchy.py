"""Makes tigertag/vocabulary/base.tsv from the database files of WordNet 3.0.

    apt-get install wordnet-base
    python tools/base_hierarchy.py /usr/share/wordnet > tigertag/vocabulary/base.tsv

Which words: nouns for what can be seen in a photo, whose first sense lies below one of the anchors of
base_hierarchy.yaml, and that WordNet's own definitions use, so that they are words people know. What is above a
word: the nearest anchor on WordNet's way up. The upper ontology (entity, object, artifact) is left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

LEAST_USES = 2
"""A word stands in the definitions of so many synsets at least, or in the texts that WordNet counted."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What base_hierarchy.yaml says."""

    anchors: Mapping[str, tuple[str, ...]]
    """The name that is shown → senses of words (`dog.1`), as WordNet counts them."""
    own: Mapping[str, str]
    """A name → the one above it, whatever WordNet says."""
    least: Mapping[str, int]
    """A name → the uses that are asked of what is below it."""
    left_out: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Choice:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        anchors = {
            name: (senses,) if isinstance(senses, str) else tuple(senses)
            for name, senses in said["anchors"].items()
        }
        own = {name: above for above, names in said["own"].items() for name in names}
        return cls(anchors, own, said["least"], frozenset(said["left_out"]))


@dataclass(frozen=True, slots=True)
class Synset:
    """A meaning: the words for it, and the meanings above it."""

    words: tuple[str, ...]
    above: tuple[str, ...]
    is_instance: bool
    """A single thing, as Paris is a city."""
    gloss: str


def read_synsets(folder: Path) -> dict[str, Synset]:
    """Offset → noun."""
    found = {}
    for line in _lines(folder / "data.noun"):
        head, _, gloss = line.partition(" | ")
        cells = head.split(" ")
        count = int(cells[3], 16)
        words = tuple(cells[4 + 2 * at] for at in range(count))
        pointers = cells[5 + 2 * count :]
        kinds = [(pointers[at], pointers[at + 1]) for at in range(0, len(pointers) - 3, 4)]
        above = tuple(offset for kind, offset in kinds if kind == "@")
        found[cells[0]] = Synset(words, above, any(kind == "@i" for kind, _ in kinds), gloss.strip())
    return found


def read_senses(folder: Path) -> dict[str, tuple[list[str], int]]:
    """Word → the offsets of its senses, the most frequent first, and how many of them were met in texts."""
    found = {}
    for line in _lines(folder / "index.noun"):
        cells = line.split()
        senses, pointers = int(cells[2]), int(cells[3])
        offsets = cells[6 + pointers :]
        found[cells[0]] = (offsets[:senses], int(cells[5 + pointers]))
    return found


def uses(folder: Path) -> Counter[str]:
    """How many definitions each word, or pair of words, stands in."""
    found: Counter[str] = Counter()
    for name in ("data.noun", "data.verb", "data.adj", "data.adv"):
        for line in _lines(folder / name):
            words = re.findall(r"[a-z]+(?:[-'][a-z]+)*", line.partition(" | ")[2].lower())
            singular = [_singular(word) for word in words]
            pairs = {f"{one} {two}" for one, two in zip(words, singular[1:], strict=False)}
            found.update({*words, *singular, *pairs})
    return found


def _singular(word: str) -> str:
    for ending, single in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ss", "ss"), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending) + single
    return word


def _lines(path: Path) -> Iterator[str]:
    """The lines after the licence, which is indented."""
    with path.open(encoding="ascii") as file:
        yield from (line.rstrip("\n") for line in file if not line.startswith(" "))


def anchors(choice: Choice, senses: Mapping[str, tuple[list[str], int]]) -> dict[str, str]:
    """Offset → the name that is shown. Raises KeyError or IndexError where WordNet has no such sense."""
    found: dict[str, str] = {}
    for shown, meanings in choice.anchors.items():
        for meaning in meanings:
            word, _, number = meaning.partition(".")
            found.setdefault(senses[word][0][int(number) - 1], shown)
    return found


def way_up(offset: str, synsets: Mapping[str, Synset]) -> Iterator[str]:
    """The meanings above one, the nearest first; of several ways all, level by level."""
    level, seen = [offset], {offset}
    while level:
        level = list(dict.fromkeys(up for each in level for up in synsets[each].above if up not in seen))
        seen.update(level)
        yield from level


def parent(shown: str, offset: str, synsets: Mapping[str, Synset], named: Mapping[str, str]) -> str:
    """The nearest anchor above that is above no other of them; empty for none."""
    ups = [each for each in way_up(offset, synsets) if each in named and named[each] != shown]
    higher = {above for each in ups for above in way_up(each, synsets)}
    return next((named[each] for each in ups if each not in higher), "")


def hierarchy(folder: Path, choice: Choice) -> dict[str, str]:
    """Each word with the one above it."""
    synsets, senses, used = read_synsets(folder), read_senses(folder), uses(folder)
    named = anchors(choice, senses)
    found: dict[str, str] = {}
    for offset, shown in named.items():
        if above := parent(shown, offset, synsets, named):
            found[shown] = above
    for word, (offsets, met) in senses.items():
        name = word.replace("_", " ")
        meant = next((each for each in offsets if not synsets[each].is_instance), "")
        if name in choice.anchors or not meant:
            continue
        above = named.get(meant) or parent(name, meant, synsets, named)
        least = choice.least.get(above, LEAST_USES)
        if above not in ("", name) and is_plain(name, word, synsets[meant]) and used[name] + met >= least:
            found[name] = above
    found |= choice.own
    return {name: above for name, above in found.items() if name not in choice.left_out}


def is_plain(name: str, word: str, meaning: Synset) -> bool:
    """Whether it is one to three words that are written small."""
    return word in meaning.words and re.fullmatch(r"[a-z]{3,}([ -][a-z]{2,}){0,2}", name) is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of WordNet's data.noun and index.noun")
    choice = Choice.read(Path(__file__).with_suffix(".yaml"))
    found = hierarchy(parser.parse_args().folder, choice)
    sys.stdout.write("# Made from WordNet 3.0 by tools/base_hierarchy.py; see LICENSE.wordnet.\n")
    sys.stdout.writelines(f"{name}\t{found[name]}\n" for name in sorted(found))


if __name__ == "__main__":
    main()
