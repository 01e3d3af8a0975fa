"""Everything that can go wrong with a request, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.servers.base import Fault

EVER = 1_000_000
"""So many requests go wrong where it lasts for ever."""
BURST = 3
"""So many do in a burst: fewer than the tries of any request."""
IMPATIENT = 0.5
"""Seconds of silence that are borne where a service stalls or drips."""
_HTML = b"<html><body><h1>It works!</h1></body></html>"
_NESTED = {
    "Plex": b"<MediaContainer>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</MediaContainer>",
    "JSON": b'{"result": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
}
_WRONG_TYPES = {
    "Plex": b'<MediaContainer size="many" totalSize="-3" machineIdentifier=""><Photo ratingKey="x">'
    b'<Media><Part id="" key="5" size="big" file="/"/></Media></Photo><Directory key="" type="photo"/>'
    b"</MediaContainer>",
    "JSON": json.dumps(
        {
            "result": {"tags": {"a": 1}, "monthly_limit": "many", "monthly_processed": []},
            "status": 5,
            "subjects": {"name": 1},
            "faces": "none",
            "total_pages": "x",
            "clientMaxFileSize": "large",
            "dbIsInconsistent": "no",
        }
    ).encode(),
}
_BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + place, b"&%c;" % (97 + place) * 10) for place in range(9))
    + b"]><MediaContainer>&j;</MediaContainer>"
)
_DATE = "Sat, 01 Jan 2950 00:00:00 GMT"
_WAITS: Mapping[str, Mapping[str, str]] = {
    "no Retry-After": {},
    "Retry-After seconds": {"Retry-After": "7"},
    "Retry-After a date": {"Retry-After": _DATE},
    "Retry-After negative": {"Retry-After": "-5"},
    "Retry-After ten years": {"Retry-After": "315360000"},
}


@dataclass(frozen=True)
class Wrong:
    """A way in which requests go wrong, and how many of them do."""

    name: str
    fault: Fault = field(default_factory=Fault)
    times: int = EVER
    limit: float = 10
    """Seconds that the program waits for a service that says nothing."""
    away: str = ""
    """The service is not there at all: `refused`, `no such host` or `certificate`."""

    @property
    def loses(self) -> bool:
        """The work is done and nothing of the answer can be told: it may be asked for once more (E6)."""
        return self.fault.hang or bool(self.fault.drip) or self.fault.reset == "after"

    @property
    def keeps_promise(self) -> bool:
        """The work is not done."""
        return bool(self.away or self.fault.status or self.fault.reset == "before")


def wrongs(service: str, elsewhere: str) -> Iterator[Wrong]:
    """All there are; redirects lead to the address `elsewhere`, too."""
    yield from (Wrong(name, times=1, away=name) for name in ("refused", "no such host", "certificate"))
    for name, fault in _shapes(service):
        patience = IMPATIENT if fault.hang or fault.drip else 10
        yield Wrong(f"{name}, once", fault, 1, patience)
        yield Wrong(f"{name}, for ever", fault, EVER, patience)
    for status in (401, 402, 403, 404, 413, 414, 415, 422):
        yield Wrong(f"{status}, once", Fault(status=status), 1)
        yield Wrong(f"{status}, for ever", Fault(status=status))
    for name, headers in _WAITS.items():
        yield Wrong(f"429 {name}, once", Fault(status=429, headers=headers), 1)
        yield Wrong(f"429 {name}, for ever", Fault(status=429, headers=headers))
    for status in (500, 502, 503, 504):
        for how, times in (("once", 1), ("in a burst", BURST), ("for ever", EVER)):
            yield Wrong(f"{status}, {how}", Fault.html(status), times)
    places = {"another host": elsewhere, "a file": "file:///etc/passwd", "169.254": "http://169.254.169.254/"}
    for name, place in places.items():
        yield Wrong(f"redirect to {name}, for ever", Fault.redirect(place, 307))


def _shapes(service: str) -> Sequence[tuple[str, Fault]]:
    format_ = "Plex" if service == "Plex" else "JSON"
    found = [
        ("reset before the work", Fault(reset="before")),
        ("reset after the work", Fault(reset="after")),
        ("stall", Fault(hang=True)),
        ("drip", Fault(drip=0.02)),
        ("cut", Fault(cut=9)),
        ("length too long", Fault(length=1 << 20)),
        ("length too short", Fault(length=9)),
        ("HTML", Fault(body=_HTML, content_type="text/html")),
        ("empty", Fault(body=b"")),
        ("1 GB", Fault(flood=1 << 30)),
        ("nested", Fault(body=_NESTED[format_])),
        ("wrong types", Fault(body=_WRONG_TYPES[format_])),
    ]
    if service == "Plex":
        found.append(("entities", Fault(body=_BOMB)))
    return found
