"""What TigerTag remembers of one recognition service, in the plugin's memory.

Rows stand under the service's identity, so that another service's are never mistaken for them:

    example:<service>:<image id>   an example that TigerTag added: only these are ever deleted
    adding:<service>:<key>         one that is being added: written before the request, settled after it
    refused:<service>:<key>        a file that the service or the decoder refused, so that it is not sent again
    seen:<service>:<image id>      the SHA-256 of somebody else's example
    others:<service>               the fingerprint of all that others added
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from tigertag.engines.compreface_faces import Example
from tigertag.model import JSON, Memory, fingerprint, fold


@dataclass(frozen=True, slots=True)
class Record:
    """An example that TigerTag added."""

    subject: str
    name: str
    """The file below the faces folder, for people."""
    file: str
    """SHA-256 of the file, hex."""
    sha256: str
    """SHA-256 of the bytes as sent, hex."""

    @property
    def key(self) -> tuple[str, str]:
        return fold(self.subject), self.file

    @property
    def origin(self) -> tuple[str, str]:
        return fold(self.subject), self.name


@dataclass(frozen=True, slots=True)
class Intent:
    """An example that may have been added: as a record, with the subject's image ids before it."""

    record: Record
    before: frozenset[str]


class Overlay:
    """A memory that forgets: reads go through, changes stay here. For dry runs."""

    def __init__(self, memory: Memory) -> None:
        self._rows = dict(memory.items())

    def get(self, key: str) -> JSON:
        return self._rows.get(key)

    def set(self, key: str, value: JSON) -> None:
        self._rows[key] = value

    def delete(self, key: str) -> None:
        self._rows.pop(key, None)

    def items(self) -> Sequence[tuple[str, JSON]]:
        return tuple(self._rows.items())


class Book:
    """Typed access to the memory of one service. A row that makes no sense counts as absent."""

    def __init__(self, memory: Memory, service: str, threshold: float | None) -> None:
        """`threshold` is the detector's: another one may accept what this one refused."""
        self._memory = memory
        self._service = service
        self._threshold = threshold

    def dry(self) -> Book:
        """A copy whose changes are not kept."""
        return Book(Overlay(self._memory), self._service, self._threshold)

    def examples(self) -> dict[str, Record]:
        """By image id."""
        rows = ((name, _record(value)) for name, value in self._rows("example"))
        return {name: record for name, record in rows if record is not None}

    def add(self, image_id: str, record: Record) -> None:
        self._memory.set(self._key("example", image_id), asdict(record))

    def forget(self, image_id: str) -> None:
        self._memory.delete(self._key("example", image_id))

    def intents(self) -> list[Intent]:
        rows = ((_record(value), value) for _, value in self._rows("adding"))
        return [Intent(record, _ids(value)) for record, value in rows if record is not None]

    def intend(self, intent: Intent) -> None:
        value = {**asdict(intent.record), "before": sorted(intent.before)}
        self._memory.set(self._key("adding", _digest(*intent.record.key)), value)

    def settle(self, intent: Intent) -> None:
        self._memory.delete(self._key("adding", _digest(*intent.record.key)))

    def refusal(self, example: Example) -> str:
        """Why this file is no example of this person; empty where nothing speaks against it."""
        reason = self._memory.get(self._refusal_key(example))
        return reason if isinstance(reason, str) else ""

    def refuse(self, example: Example, reason: str) -> None:
        self._memory.set(self._refusal_key(example), reason)

    def seen(self, image_id: str) -> str:
        digest = self._memory.get(self._key("seen", image_id))
        return digest if isinstance(digest, str) else ""

    def see(self, image_id: str, sha256: str) -> None:
        self._memory.set(self._key("seen", image_id), sha256)

    @property
    def others(self) -> str:
        """The fingerprint of all that others added, as last known; empty for nothing."""
        digest = self._memory.get(self._key("others"))
        return digest if isinstance(digest, str) else ""

    def note_remote(self, remote: Mapping[str, str]) -> None:
        """Takes in the whole collection (image id → subject), and drops what was known of ids that are gone."""
        ours = self.examples()
        strangers = {
            image_id: subject
            for image_id, subject in remote.items()
            if image_id not in ours or fold(ours[image_id].subject) != fold(subject)
        }
        digest = fingerprint(strangers) if strangers else ""
        if digest != self.others:
            self._memory.set(self._key("others"), digest)
        for image_id in [image_id for image_id, _ in self._rows("seen") if image_id not in remote]:
            self._memory.delete(self._key("seen", image_id))

    def _rows(self, kind: str) -> Iterator[tuple[str, JSON]]:
        start = self._key(kind, "")
        for key, value in self._memory.items():
            if key.startswith(start):
                yield key.removeprefix(start), value

    def _key(self, kind: str, *names: str) -> str:
        return ":".join((kind, self._service, *names))

    def _refusal_key(self, example: Example) -> str:
        return self._key("refused", _digest(*example.key, str(self._threshold)))


def _digest(*parts: str) -> str:
    return fingerprint(list(parts))


def _record(value: JSON) -> Record | None:
    if not isinstance(value, Mapping):
        return None
    fields = [value.get(name) for name in ("subject", "name", "file", "sha256")]
    words = [part for part in fields if isinstance(part, str)]
    return Record(*words) if len(words) == len(fields) else None


def _ids(value: JSON) -> frozenset[str]:
    before = value.get("before") if isinstance(value, Mapping) else None
    return (
        frozenset(part for part in before if isinstance(part, str)) if isinstance(before, list) else frozenset()
    )
