"""The fields in which programs keep keywords, as a sidecar and a picture file both hold them. Pure.

Which program reads which field first, and why each of them gets the whole list, is a matter of record:
digiKam and Immich take digiKam:TagsList, Lightroom lr:hierarchicalSubject and dc:subject, PhotoPrism and
Synology dc:subject and IPTC. Immich takes the first field that is not empty and looks at no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Literal, TypeAlias

from tigertag.model import fold

Path: TypeAlias = tuple[str, ...]
"""A tag under its ancestors, outermost first, names as a person reads them: `("Auto", "animal", "dog")`."""

Profile: TypeAlias = Literal["all", "lightroom", "digikam", "immich"]

NAMESPACE = "urn:tigertag:xmp:1.0/"
"""Ours: program data is no keyword. Customary prefix `tigertag`."""


class Field(StrEnum):
    """A list of keywords, by the name that exiftool and the programs' own documents use."""

    SUBJECT = "dc:subject"
    TAGS_LIST = "digiKam:TagsList"
    HIERARCHY = "lr:hierarchicalSubject"
    LAST_KEYWORDS = "MicrosoftPhoto:LastKeywordXMP"
    CATALOG_SETS = "mediapro:CatalogSets"
    IPTC = "IPTC:Keywords"
    """In picture files only; 64 bytes a keyword."""


SEPARATOR: Mapping[Field, str] = {
    Field.TAGS_LIST: "/",
    Field.LAST_KEYWORDS: "/",
    Field.HIERARCHY: "|",
    Field.CATALOG_SETS: "|",
}
"""Fields that hold paths; the others hold the last name alone."""

ORDERED = frozenset({Field.TAGS_LIST})
"""Written as `rdf:Seq`, the others as `rdf:Bag`; otherwise digiKam flattens the tree."""

_OF_PROFILE: Mapping[Profile, tuple[Field, ...]] = {
    "all": (
        Field.SUBJECT,
        Field.TAGS_LIST,
        Field.HIERARCHY,
        Field.LAST_KEYWORDS,
        Field.CATALOG_SETS,
    ),
    "lightroom": (Field.SUBJECT, Field.HIERARCHY),
    "digikam": (Field.SUBJECT, Field.TAGS_LIST, Field.HIERARCHY, Field.LAST_KEYWORDS),
    "immich": (Field.SUBJECT, Field.TAGS_LIST),
}

_LONGEST_IPTC = 64
_INTERNAL = "_Digikam_Internal_Tags_"

# Both signs part the names of a path somewhere, so neither may stand inside a name: Immich reads `/` as `|`.
_STORED = str.maketrans({"/": "∕", "|": "∣"})
_PLAIN = str.maketrans({"∕": "/", "∣": "|"})


@dataclass(frozen=True, slots=True)
class Provenance:
    """What TigerTag put into a container, kept in it under NAMESPACE, so that exactly this can be taken out."""

    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Our tags as named → the engines that said them."""
    put: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    """The values that we added to each field: our tags, and others' carried over from another field."""
    withheld: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    """Values of others that we carried over and a person took away: not carried again."""
    embedded: tuple[str, ...] = ()
    """Tags that the picture file itself holds, where this is its sidecar: carried over from there."""
    caption: str = ""
    """The caption as we wrote it; a person may have changed it since."""
    program: str = ""
    """`TigerTag 1.2.0`."""
    made: bool = False
    """The sidecar is of our making: it goes when nothing but ours is left."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a container holds of the fields that TigerTag reads and writes. The rest is none of its business."""

    values: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    """As they stand there, path separators included. A field without values is left out."""
    caption: str = ""
    """dc:description in its default language."""
    provenance: Provenance | None = None
    """None: nothing of ours is in it."""

    def of(self, each: Field) -> tuple[str, ...]:
        return self.values.get(each, ())

    def put(self, each: Field) -> tuple[str, ...]:
        return self.provenance.put.get(each, ()) if self.provenance else ()

    @property
    def ours(self) -> Mapping[str, tuple[str, ...]]:
        """Our tags as `same` → their engines."""
        tags = self.provenance.tags if self.provenance else {}
        return {same(name): engines for name, engines in tags.items()}


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag to be added."""

    name: str
    parents: Path = ()
    """Outermost first."""
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """How tags are written into a container."""

    profile: Profile = "all"
    root: str = ""
    """A parent for all of ours (`Auto`), empty for none. Where paths are kept; flat fields know no parents."""
    program: str = "TigerTag"
    iptc: bool = False
    """Whether the container takes IPTC keywords too."""

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*_OF_PROFILE[self.profile], Field.IPTC) if self.iptc else _OF_PROFILE[self.profile]


def same(name: str) -> str:
    """The form under which two names are the same tag in every field: folded, separators as they are read."""
    return fold(name.translate(_PLAIN))


def path_of(each: Field, value: str) -> Path:
    """The names that `value` stands for in that field; one name where the field is flat."""
    separator = SEPARATOR.get(each)
    parts = value.split(separator) if separator else [value]
    return tuple(part.translate(_PLAIN).strip() for part in parts if part.strip())


def value_of(each: Field, path: Path) -> str:
    """How that field spells `path`; empty where it cannot hold it."""
    stored = [name.strip().translate(_STORED) for name in path]
    separator = SEPARATOR.get(each)
    value = separator.join(stored) if separator else stored[-1]
    return "" if each is Field.IPTC and len(value.encode()) > _LONGEST_IPTC else value


@lru_cache(maxsize=1 << 14)
def leaf(each: Field, value: str) -> str:
    """The tag that `value` is about; empty for what is none (digiKam's own marks)."""
    path = path_of(each, value)
    return path[-1] if path and path[0] != _INTERNAL else ""


def leaves(each: Field, values: Iterable[str]) -> set[str]:
    """Folded tags of some values of a field."""
    return {fold(name) for value in values if (name := leaf(each, value))}


def others(fields: Fields) -> Iterator[tuple[Field, str]]:
    """The values that we did not put there."""
    for each in Field:
        put = {fold(value) for value in fields.put(each)}
        yield from ((each, value) for value in fields.of(each) if fold(value) not in put)


def standing(fields: Fields) -> frozenset[str]:
    """Those tags of ours, as `same`, that stand in every field that we put them into.

    Programs take a keyword out of the fields that they know and leave it in the rest, so one field without it
    says that a person removed it. IPTC says nothing: it is cut and stripped by many.
    """
    there = {each: leaves(each, values) for each, values in fields.values.items()}
    put = {each: leaves(each, fields.put(each)) for each in Field if each is not Field.IPTC}
    found = set()
    for key in fields.ours:
        homes = [each for each, keys in put.items() if key in keys]
        if homes:
            stands = all(key in there.get(each, ()) for each in homes)
        else:
            stands = any(key in keys for keys in there.values())
        if stands:
            found.add(key)
    return frozenset(found)


def shown(fields: Fields) -> tuple[str, ...]:
    """The tags that stand there, each once, others' first. What was carried over is no tag of its own."""
    ours = fields.ours
    found: dict[str, str] = {}
    for each, value in others(fields):
        name = leaf(each, value)
        if name and fold(name) not in ours:
            found.setdefault(fold(name), name)
    stands = standing(fields)
    names = fields.provenance.tags if fields.provenance else ()
    return (*found.values(), *(name for name in names if same(name) in stands))


def own_caption(fields: Fields) -> str | None:
    """The caption where there is none or it is ours; None where a person wrote, changed or deleted it."""
    ours = fields.provenance.caption if fields.provenance else ""
    return ours if fields.caption == ours else None


def is_stale(fields: Fields) -> bool:
    """Whether something of ours lost its reason: a tag that a person took out of one field only, or a value
    carried over from a field that no longer has it. The next write takes it away."""
    if standing(fields) != fields.ours.keys():
        return True
    embedded = fields.provenance.embedded if fields.provenance else ()
    reasons = {fold(leaf(each, value)) for each, value in others(fields)}
    reasons |= {*fields.ours, *map(fold, embedded)}
    return any(not leaves(each, fields.put(each)) & leaves(each, fields.of(each)) <= reasons for each in Field)
