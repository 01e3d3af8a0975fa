"""A photo, the places where it lies, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol, runtime_checkable

from tigertag.model.words import JSON


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

    `short_side` and `long_side` are limits in pixels; where both are given both hold. Of a video it is
    the frame that stands for it; with `frames` all that are looked at, each of that size, one below the other.
    """

    short_side: int | None = None
    long_side: int | None = None
    quality: int = 90
    frames: bool = False


class Photo(Protocol):
    """A photo that has been fetched. Safe to use from several threads."""

    @property
    def name(self) -> str: ...  # the item's path, for messages
    @property
    def content_id(self) -> str: ...
    @property
    def input(self) -> str: ...  # SHA-256 of the metadata blocks and of what others wrote into the sidecar, hex
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
class Sidecar:
    """The file of XMP beside a photo, in which programs keep what is said of it."""

    name: str
    """Printable."""
    content: bytes


@runtime_checkable
class HasSidecar(Protocol):
    """A photo that may have a sidecar. What TigerTag put into that is still in there."""

    @property
    def sidecar(self) -> Sidecar | None: ...


@dataclass(frozen=True, slots=True)
class Analysis:
    """An engine's answer for one photo. No annotations is an answer too."""

    photo: Photo
    annotations: tuple[Annotation, ...] = ()
    raw: str = ""
    """The service's own words, redacted, at most 64 KiB; empty for a local engine."""
    dropped: int = 0
    """Annotations that were left out because they were no good (E8)."""
