"""What CompreFace's answers mean. Pure: nothing here asks anybody, and no answer is trusted.

Codes and shapes are those of CompreFace 1.2. The same code stands for different things: 28 is "no face" and any
other 400 of the core, 26 a malformed key and a name it does not like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from tigertag.http import BadReply, Reply
from tigertag.model import JSON, LONGEST_NAME, Annotation, Box, Kind

NO_FACE, MANY_FACES = 28, 31
NAMELESS = -1
"""The code of an answer that has none: an HTML page, an empty body."""
MOST_FACES = 500
"""Faces of one photo that are kept."""
_DEFAULT_MOST_BYTES = 5 << 20
_FORM = 1024
"""Bytes that a multipart form takes beside the picture, generously."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Refused(Exception):
    """The service's last word on one request: repeating does not help."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message or f"status {status}")
        self.status, self.code = status, code

    @property
    def why(self) -> str:
        """Why a picture was refused, for people."""
        if self.code == NO_FACE:
            return "no face was found in it"
        if self.code == MANY_FACES:
            return "it shows more than one face"
        if self.status == 413:
            return "it is too large for CompreFace"
        return f"CompreFace refused it ({self})"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the listing of examples."""

    faces: Mapping[str, str]
    """Image id → subject."""
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """The faces of a picture as they came, and the whole answer."""

    faces: Sequence[JSON]
    body: bytes = b""


def is_image_id(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def one_line(text: str) -> str:
    """A stranger's words, short and printable."""
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()


def code_of(reply: Reply) -> tuple[int, str]:
    """Code and message of an error answer, as it came; NAMELESS where it is no JSON, as many are."""
    try:
        value = reply.json()
    except BadReply:
        return NAMELESS, ""
    if not isinstance(value, Mapping):
        return NAMELESS, ""
    code, message = value.get("code"), value.get("message")
    return code if _is_whole(code) else NAMELESS, message if isinstance(message, str) else ""


def as_object(reply: Reply) -> Mapping[str, JSON]:
    value = reply.json()
    if not isinstance(value, Mapping):
        raise _unreadable("not an object")
    return value


def as_names(reply: Reply) -> tuple[str, ...]:
    names = as_object(reply).get("subjects")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unreadable("it holds no list of subjects")
    return tuple(names)


def as_page(reply: Reply) -> Page:
    value = as_object(reply)
    faces, pages, total = value.get("faces"), value.get("total_pages"), value.get("total_elements")
    if not isinstance(faces, list) or not _is_whole(pages) or not _is_whole(total):
        raise _unreadable("it holds no page of examples")
    return Page(dict(_example(face) for face in faces), pages, total)


def as_added(reply: Reply) -> str:
    """The image id of an example that was added."""
    return _example(as_object(reply))[0]


def as_recognised(reply: Reply) -> Recognised:
    faces = as_object(reply).get("result")
    if not isinstance(faces, list):
        raise _unreadable("it holds no list of faces")
    return Recognised(faces, reply.body)


def most_bytes(config: Mapping[str, JSON]) -> int:
    """Bytes that a picture may have by /config; 5 MiB where it does not say."""
    limits = [(config.get("clientMaxFileSize"), 0), (config.get("clientMaxBodySize"), _FORM)]
    known = [limit - form for limit, form in limits if _is_whole(limit) and limit > form]
    return min(known, default=_DEFAULT_MOST_BYTES)


def annotations_of(faces: Sequence[JSON], size: tuple[int, int]) -> tuple[tuple[Annotation, ...], int]:
    """A person for each face with a subject, else a face; and how many were left out as no good (E8).

    `size` is the sent picture's in pixels; boxes are cut at its edges.
    """
    found = [_annotation(face, size) for face in faces[:MOST_FACES]]
    good = tuple(annotation for annotation in found if annotation is not None)
    return good, len(faces) - len(good)


def _annotation(face: JSON, size: tuple[int, int]) -> Annotation | None:
    if not isinstance(face, Mapping):
        return None
    raw, subjects = face.get("box"), face.get("subjects")
    box = _box(raw, size) if isinstance(raw, Mapping) else None
    if box is None or not isinstance(raw, Mapping) or not isinstance(subjects, list | None):
        return None
    if subjects:
        return _person(subjects[0], box)  # the nearest: there is one entry per stored example
    sure = _fraction(raw.get("probability"))
    return None if sure is None else Annotation(Kind.FACE, confidence=sure, box=box)


def _person(subject: JSON, box: Box) -> Annotation | None:
    if not isinstance(subject, Mapping):
        return None
    name, similarity = subject.get("subject"), _fraction(subject.get("similarity"))
    if not isinstance(name, str) or similarity is None:
        return None
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return None
    return Annotation(Kind.PERSON, name, similarity, box)


def _box(raw: Mapping[str, JSON], size: tuple[int, int]) -> Box | None:
    """In fractions of the picture; None where it has no area within it."""
    corners = [_clipped(raw.get(name), side) for name, side in zip(_CORNERS, size * 2, strict=True)]
    x1, y1, x2, y2 = corners
    if x1 is None or y1 is None or x2 is None or y2 is None or x2 <= x1 or y2 <= y1:
        return None
    return Box(x1, y1, x2 - x1, y2 - y1)


_CORNERS = ("x_min", "y_min", "x_max", "y_max")


def _clipped(pixels: JSON, side: int) -> float | None:
    if isinstance(pixels, bool) or not isinstance(pixels, int | float):
        return None
    return min(max(pixels, 0), side) / side


def _fraction(value: JSON) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _is_whole(value: JSON) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _unreadable(why: str) -> BadReply:
    return BadReply(f"CompreFace's answer could not be read ({why})")


def _example(face: JSON) -> tuple[str, str]:
    if isinstance(face, Mapping):
        image_id, subject = face.get("image_id"), face.get("subject")
        if isinstance(image_id, str) and is_image_id(image_id) and isinstance(subject, str):
            return image_id, subject
    raise _unreadable("it holds an example without an id")
