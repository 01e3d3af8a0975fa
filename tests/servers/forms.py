"""Multipart forms, read as strictly as the strictest of the real services."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser

from tests.servers.base import Request


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form."""

    name: str
    filename: str
    content_type: str
    content: bytes


def parts(request: Request) -> list[Part]:
    """The parts of a multipart form; none where the body is not a whole one."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return []
    boundary = _parameter(kind, "boundary")
    if not boundary:
        return []
    opener = b"--" + boundary.encode()
    first, *blocks = (b"\r\n" + request.body).split(b"\r\n" + opener)
    if first or not blocks or blocks[-1].strip(b" \t") not in (b"--", b"--\r\n"):
        return []
    found = [part for part in map(_part, blocks[:-1]) if part is not None]
    return found if len(found) == len(blocks) - 1 else []


def _parameter(header: str, name: str) -> str:
    message = Message()
    message["Content-Type"] = header
    value = message.get_param(name)
    return value if isinstance(value, str) else ""


def _part(block: bytes) -> Part | None:
    """RFC 2046, 5.1.1: after the boundary an empty rest of its line, headers, an empty line, the content."""
    line, _, rest = block.partition(b"\r\n")
    headers, end, content = rest.partition(b"\r\n\r\n")
    if line.strip(b" \t") or not end:
        return None
    message = BytesParser().parsebytes(headers, headersonly=True)
    name = message.get_param("name", header="content-disposition")
    return Part(
        name=name if isinstance(name, str) else "",
        filename=message.get_filename() or "",
        content_type=message.get_content_type(),
        content=content,
    )
