"""Words that are looked for in what photos mean: names, how a model is asked for them, how sure it must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from tigertag.errors import ConfigError
from tigertag.meaning.options import OWN
from tigertag.model import Term, fold

TEMPLATES: tuple[str, ...] = ("a photo of {a}", "{}")
"""How a word without prompts of its own is put to a model."""
THRESHOLD = 0.6
"""How probable a word without a threshold of its own must be."""

_KEYS = ("name", "prompts", "group", "threshold", "alternatives")


@dataclass(frozen=True, slots=True)
class Word:
    """A tag that may fit. `prompts` are the texts that it is compared by, of which the mean counts."""

    name: str
    prompts: tuple[str, ...]
    group: str = ""
    threshold: float = THRESHOLD
    """0..1: the probability that it must have."""
    is_alternative: bool = False
    """Of the words of its group only the most probable can fit."""


def word(name: str, templates: Iterable[str] = TEMPLATES, **more: object) -> Word:
    """A word by its name alone. `{}` in a template is the name, `{a}` the name with its article."""
    return Word(name, tuple(shaped(each, name) for each in templates), **more)  # type: ignore[arg-type]


def shaped(template: str, name: str) -> str:
    """What a template asks about a name."""
    return template.replace("{a}", _with_article(name)).replace("{}", name)


def _with_article(name: str) -> str:
    """English enough for a model: `an owl`, `a dog`; names with a capital and plurals have none."""
    if name[:1].isupper() or (name.endswith("s") and not name.endswith("ss")):
        return name
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


@cache
def general() -> tuple[Word, ...]:
    """Everyday words that ship with TigerTag: things, places, events, activities, food, animals and more."""
    text = files("tigertag.meaning").joinpath("general.txt").read_text(encoding="utf-8")
    return tuple(_general(text))


def _general(text: str) -> Iterator[Word]:
    """A group is a line `[name, threshold, alternatives] template; template`, then names with commas between.

    A name that begins with `~` has no article; ` = ` and texts with semicolons give it prompts of its own.
    """
    group, threshold, is_alternative, templates = "", THRESHOLD, False, TEMPLATES
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            head, _, rest = line[1:].partition("]")
            group, number, *flags = (part.strip() for part in head.split(","))
            threshold, is_alternative = float(number), "alternatives" in flags
            templates = tuple(part.strip() for part in rest.split(";"))
            continue
        for entry in filter(None, (part.strip() for part in line.split(","))):
            name, _, own = entry.partition(" = ")
            bare = name.removeprefix("~")
            shaped = [each.replace("{a}", "{}") for each in templates] if name != bare else templates
            prompts = [part.strip() for part in own.split(";")] if own else shaped
            yield word(bare, prompts, group=group, threshold=threshold, is_alternative=is_alternative)


def of_terms(terms: Mapping[str, Term], known: Iterable[Word] = ()) -> Iterator[Word]:
    """The tags of the owner's vocabulary; what only holds others is no tag.

    What a tag does not say of itself, the `known` word of its name does.
    """
    others = {fold(each.name): each for each in known}
    for key, term in terms.items():
        if term.is_category:
            continue
        usual = others.get(key) or word(term.name, group=OWN)
        yield Word(
            term.name,
            tuple(shaped(prompt, term.name) for prompt in term.prompts) or usual.prompts,
            term.group or usual.group,
            usual.threshold if term.min_confidence is None else term.min_confidence,
            is_alternative=bool(term.group) or usual.is_alternative,
        )


def read(path: Path) -> tuple[Word, ...]:
    """The words in a YAML file: names, or entries of `name`, `prompts`, `group`, `threshold` in percent, and
    `alternatives: true`. Raises ConfigError with all faults.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    entries = found.get("words") if isinstance(found, dict) else found
    if not isinstance(entries, list):
        raise ConfigError(f"{path} holds no list of words")
    faults: list[str] = []
    words = [made for each in entries if (made := _entry(each, f"{path}: ", faults)) is not None]
    if faults:
        raise ConfigError(*faults)
    return tuple(words)


def _entry(said: object, where: str, faults: list[str]) -> Word | None:
    if isinstance(said, str) and said.strip():
        return word(said.strip())
    if not isinstance(said, dict) or not isinstance(said.get("name"), str) or not said["name"].strip():
        faults.append(f"{where}`{said}` is no word: a name, or an entry with `name`")
        return None
    name = str(said["name"]).strip()
    unknown = [str(key) for key in said if key not in _KEYS]
    prompts = said.get("prompts") or TEMPLATES
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    threshold = said.get("threshold", THRESHOLD * 100)
    if unknown:
        faults.append(f"{where}`{name}` has `{unknown[0]}`; there are {', '.join(_KEYS)}")
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 100:
        faults.append(f"{where}the threshold of `{name}` is no percentage from 0 to 100")
        return None
    return word(
        name,
        [str(each) for each in prompts],
        group=str(said.get("group", "")),
        threshold=threshold / 100,
        is_alternative=bool(said.get("alternatives", False)),
    )


def merged(words: Iterable[Word]) -> tuple[Word, ...]:
    """Each name once; what comes later stands."""
    return tuple({fold(each.name): each for each in words}.values())
