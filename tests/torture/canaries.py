"""Secrets that are looked for in all that the program says and leaves, in every spelling."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""A spelling that is shorter says nothing: it may be there by chance."""


def spellings(secret: str) -> frozenset[bytes]:
    """Plain, URL-encoded, JSON-escaped, as Python shows it, and in base64 within a longer text."""
    raw = secret.encode()
    texts = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        repr(secret)[1:-1],
        html.escape(secret),
        *_lower_case(quote(secret, safe="")),
        *_in_base64(raw),
    }
    return frozenset(text.encode() for text in texts if len(text) >= SHORTEST)


def _lower_case(quoted: str) -> Iterator[str]:
    """`%2f` is `%2F`."""
    parts = quoted.split("%")
    yield parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])


def _in_base64(raw: bytes) -> Iterator[str]:
    """What is the same whatever stands before and after it."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        whole = (before + len(raw)) * 8 // 6
        yield from {encoded[(0, 2, 3)[before] : whole]}


class Canaries:
    """Named secrets; `found` tells which of them stand in something."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)
        self._spellings = {name: spellings(secret) for name, secret in secrets.items()}

    def echo(self) -> str:
        """All of them in every spelling, as a service might send them back."""
        return " ".join(
            spelling.decode() for name in self._spellings for spelling in sorted(self._spellings[name])
        )

    def found(self, where: str | bytes, *, but: Iterable[str] = ()) -> list[str]:
        """The names of those that stand there, except for some that belong there."""
        text = where.encode("utf-8", "surrogateescape") if isinstance(where, str) else where
        return [
            name
            for name, forms in self._spellings.items()
            if name not in but and any(form in text for form in forms)
        ]

    def in_files(self, folder: Path, *, but: Iterable[Path] = ()) -> list[str]:
        """Files below a folder with one in its name or content, and which."""
        own = set(but)
        paths = [path for path in folder.rglob("*") if path not in own]
        named = [f"{path.name}: {', '.join(found)}" for path in paths if (found := self.found(path.name))]
        return named + [
            f"{path.name}: {', '.join(found)}"
            for path in paths
            if path.is_file() and (found := self.found(path.read_bytes()))
        ]
