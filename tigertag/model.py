"""The nouns and the three protocols. Standard library only, no I/O.

    source.items() → discover → analyze → write → target

A **photo** is its picture; an **item** is a place where it lies. An **engine** says **annotations** about a
photo; an **analysis** is one answer. A **target** shows tags on items and takes changes to them.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Literal, Protocol, TypeAlias, runtime_checkable

from tigertag.errors import ItemError, PhotoError, TransientError

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

LONGEST_NAME = 500
"""Characters a tag may have; a longer one is refused by name, never cut."""


def fold(name: str) -> str:
    """The form under which two names are the same tag: strip, NFC, casefold, NFC again.

    Casefolding can undo the normal form, so it is restored. Computed here only, never by a database.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def fingerprint(value: JSON) -> str:
    """SHA-256, in hex, of the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Kind(StrEnum):
    """What an annotation is. `tag` and `person` can become tags of a target; a person is a tag with a face."""

    TAG = "tag"
    PERSON = "person"
    FACE = "face"
    EMBEDDING = "embedding"
    MEASURE = "measure"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Item:
    """A place where a photo lies, as its source lists it. Nothing has been opened yet."""

    source: str
    """`Source.identity`."""
    key: str
    """Names the item within its source for ever: a rating key, a path below the root."""
    path: str
    """What a person calls it: `Summer/IMG_2231.jpg`. Printable; not for opening."""
    stamp: str
    """Differs whenever the bytes may differ. Same stamp: nothing is opened."""
    section: str = ""
    album: str = ""
    """Albums from the outermost, joined by `/`; empty for a loose photo."""
    title: str = ""
    size: int | None = None
    """Bytes, where the listing says."""
    moment: datetime | None = None
    """Aware UTC: when the photo was taken where the listing says, else added or changed. For order only."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What source and target need beside the key (part key, server path, section key); kept with the item."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions 0..1 of the upright picture; x and y are the left upper corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing an engine says about a photo."""

    kind: Kind
    name: str = ""
    """The tag, the person, the measure; empty for a face without a name."""
    confidence: float = 1.0
    """0..1."""
    box: Box | None = None
    language: str = ""
    """The language of `name` as the engine names it (`en`), empty where it has none."""
    value: JSON = None
    """A measure's number, a text, a vector."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """How a picture is wanted: upright, RGB JPEG without metadata, never enlarged.

    `short_side` and `long_side` are limits in pixels; where both are given both hold.
    """

    short_side: int | None = None
    long_side: int | None = None
    quality: int = 90


class Photo(Protocol):
    """A photo that has been fetched. Safe to use from several threads."""

    @property
    def name(self) -> str: ...  # the item's path, for messages
    @property
    def content_id(self) -> str: ...
    @property
    def input(self) -> str: ...  # SHA-256 of the metadata blocks, hex
    @property
    def width(self) -> int: ...  # pixels of the upright picture
    @property
    def height(self) -> int: ...

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The file as its source holds it, from its first byte."""
        ...

    def jpeg(self, rendition: Rendition) -> bytes:
        """The same bytes for the same rendition. Raises PhotoError where the picture cannot be decoded."""
        ...


@dataclass(frozen=True, slots=True)
class Analysis:
    """An engine's answer for one photo. No annotations is an answer too."""

    photo: Photo
    annotations: tuple[Annotation, ...] = ()
    raw: str = ""
    """The service's own words, redacted, at most 64 KiB; empty for a local engine."""
    dropped: int = 0
    """Annotations that were left out because they were no good (E8)."""


class Outcome(StrEnum):
    """What became of a request that may be billed."""

    UNKNOWN = "unknown"
    """Maybe billed: no answer came, or one that says nothing about the bill."""
    BILLED = "billed"
    FREE = "free"
    """Refused by the service, or it never got there."""


class Send(Protocol):
    """One request that may be billed. What is not settled counts as maybe billed."""

    def settle(self, outcome: Outcome) -> None: ...


class Permit(Protocol):
    """Asked before every request that may be billed, repeats included."""

    def __call__(self, photo: Photo) -> Send:
        """Commits a `send` row. Raises PluginDown where lock or budget forbid the request."""
        ...


@dataclass(frozen=True, slots=True)
class Quota:
    """What a billed service says is left."""

    used: int
    limit: int
    left: int
    """Requests that TigerTag will still make: limit less used less the reserve, never below 0."""
    until: str = ""
    """When it starts anew, in the service's words."""


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """What of an engine's answers becomes tags. Changing it costs no engine call."""

    min_confidence: float = 0.0
    """0..1, inclusive."""
    max_tags: int | None = None
    prefix: str = ""
    languages: tuple[str, ...] = ()
    """The first of these that a photo has names in is written; none: all are."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which tags a person wants, and how they are called: `vocabulary.yaml`. Keys are folded names."""

    allow: frozenset[str] | None = None
    """Only these; None: all."""
    deny: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Folded name → the name to write, as it was spelled."""

    def canonical(self, name: str) -> str:
        """The name that is written for `name`: renamed where asked, else as it is."""
        return self.rename.get(fold(name), name)

    def permits(self, name: str) -> bool:
        """Whether `name` may be written. A list that holds the name before or after its renaming holds it."""
        names = {fold(name), fold(self.canonical(name))}
        return not names & self.deny and (self.allow is None or bool(names & self.allow))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `tigertag check`."""

    ok: bool
    text: str
    advice: str = ""
    """What to do, where not ok."""


class Memory(Protocol):
    """What a plugin remembers outside itself: key → JSON in a scope of its own, committed at once."""

    def get(self, key: str) -> JSON: ...
    def set(self, key: str, value: JSON) -> None: ...
    def delete(self, key: str) -> None: ...
    def items(self) -> Sequence[tuple[str, JSON]]: ...


class Source(Protocol):
    """Where photos come from. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def identity(self) -> str:
        """`plex:<machineIdentifier>`, `folder:<device>:<root>`; rows hang on this, never on a name or URL.

        May connect. Raises Unreachable or ConfigError.
        """
        ...

    @property
    def label(self) -> str:
        """For people: `Plex "Photos" on nas`, `folder /pictures`."""
        ...

    @property
    def scope(self) -> tuple[str, ...]:
        """The sections that `items` will walk; empty: everything. Items of others are not looked for."""
        ...

    @property
    def skipped(self) -> Mapping[str, int]:
        """After `items`: what was seen and not looked at, by kind (`clips` → 1120)."""
        ...

    def items(self) -> Iterator[Item]:
        """Attributes only, paged, lazy. Raises Unreachable where the listing broke off."""
        ...

    def open(self, item: Item) -> AbstractContextManager[BinaryIO]:
        """The item's bytes. Raises PhotoError, TransientError, Unreachable."""
        ...

    def check(self) -> Iterable[Finding]: ...
    def close(self) -> None: ...


class Engine(Protocol):
    """Says annotations about photos. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def name(self) -> str: ...  # the plugin's name
    @property
    def version(self) -> str: ...
    @property
    def reads(self) -> Literal["picture", "file"]: ...
    @property
    def billed(self) -> bool: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def concurrency(self) -> int: ...  # `analyze` calls side by side; final after `start`

    @property
    def sends(self) -> str:
        """What leaves the house and where to: `sends 300 px copies without metadata to api.imagga.com`."""
        ...

    @property
    def settings(self) -> Mapping[str, JSON]:
        """All that changes the answer, no secrets → fingerprint of a revision. No I/O beyond own files."""
        ...

    def start(self) -> None:
        """Asks the service whether it can work, what is left, and brings it up to date. Once, before photos.

        Raises PluginDown. Never called in a dry run.
        """
        ...

    def quota(self) -> Quota | None:
        """As known since `start`, less what was sent; None where nothing limits."""
        ...

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterable[Analysis | PhotoError | TransientError]:
        """One outcome for each photo, in any order, each naming its photo. Raises PluginDown."""
        ...

    def check(self) -> Iterable[Finding]: ...

    def close(self) -> None:
        """Twice is once. From another thread it ends waits between tries; a request under way is finished."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A person an engine knows, with the number of example pictures: those TigerTag added, and others'."""

    name: str
    ours: int
    others: int
    wanted: int
    """Examples that the faces folder and configuration ask for."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync of people did, or would do: example pictures by name, and problems in a sentence each."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: int = 0
    problems: tuple[str, ...] = ()


@runtime_checkable
class KnowsPeople(Protocol):
    """An engine that recognises people from example pictures."""

    def people(self) -> Sequence[Person]: ...

    def sync(self, *, dry_run: bool = False) -> Synced:
        """Idempotent. Only examples that TigerTag added are ever removed."""
        ...


class Presence(StrEnum):
    """Whether what a target shows under an item's key is that item."""

    HERE = "here"
    GONE = "gone"
    OTHER = "other"
    """The key now means another photo; nothing may be written."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a target shows on an item at this moment: names in its own spelling."""

    item: Item
    tags: tuple[str, ...] = ()
    presence: Presence = Presence.HERE


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an item. Additions take effect before removals."""

    item: Item
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    """In the target's spelling, as in `shown`."""
    shown: tuple[str, ...] = ()
    """What was read just before: all but `remove` must be there afterwards."""


@dataclass(frozen=True, slots=True)
class Written:
    """An item after a change, as the target shows it now, read back."""

    item: Item
    tags: tuple[str, ...]
    restored: tuple[str, ...] = ()
    """Tags of others that went missing in the write and were put back."""


class Target(Protocol):
    """Shows tags on items. Built as `Plugin(options, memory)`; building it does no I/O."""

    @property
    def identity(self) -> str: ...  # the ledger hangs on this; may connect, as Source.identity
    @property
    def label(self) -> str: ...

    def accepts(self, item: Item) -> bool: ...

    def read(self, items: Sequence[Item]) -> Iterable[Shown | ItemError]:
        """One for each item, in any order. Raises Unreachable."""
        ...

    def write(self, changes: Sequence[Change]) -> Iterable[Written | ItemError]:
        """Batched, adds before removes, read back. One outcome for each change. Raises Unreachable."""
        ...

    def check(self) -> Iterable[Finding]: ...
    def close(self) -> None: ...
