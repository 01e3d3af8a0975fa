"""A place that is looked through for its secrets, in all that a run says and leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.base import Fault, Request, Service
from tests.torture.canaries import Canaries
from tests.torture.place import Place
from tests.torture.trial import Cell, Trial, missed

PASSWORD = "cnry:pass/word+&%2"
QUOTED = "cnry%3Apass%2Fword%2B%26%252"
LOUD = ("-vv", "--debug")


@dataclass
class Looking:
    """A place that is looked through for its canaries."""

    place: Place
    canaries: Canaries
    names: set[str] = field(default_factory=set)
    """Of files that were there or open while a request was under way."""
    others: dict[str, Service] = field(default_factory=dict)
    """Services that are none of the place's."""
    may_go_elsewhere: bool = False
    """Another host may be asked, without a secret."""
    said: str = ""

    @classmethod
    def at(cls, place: Place, **more: str) -> Looking:
        found = cls(place, Canaries({**place.canaries.secrets, **more}))
        for service in place.services.values():
            service.fail("*", Fault(), times=0, when=found._look_around)
        return found

    def _look_around(self, _: Request) -> bool:
        self.names.update(path.name for path in self.place.folder.rglob("*"))
        for link in Path("/proc/self/fd").glob("*"):
            with suppress(OSError):
                self.names.add(str(link.readlink()))
        return False

    def run(self, *arguments: str) -> None:
        """Runs the program at its loudest; `leaked` tells of it."""
        log = self.place.folder / "log"
        ran = self.place.run(*arguments, *LOUD, "--log-file", str(log))
        self.said = ran.out + ran.err

    def leaked(self) -> str | None:
        """Where a secret was found."""
        own = [self.place.folder / "tigertag.env"]
        found = [f"said {name}" for name in self.canaries.found(self.said)]
        found += [f"in {each}" for each in self.canaries.in_files(self.place.folder, but=own)]
        found += [f"a file called {name}" for name in self.names if self.canaries.found(name)]
        found += [f"to {name}: {what}" for name, what in self._strayed()]
        if self.place.elsewhere.requests and not self.may_go_elsewhere:
            found.append("a request to another host")
        return "; ".join(found) or None

    def _strayed(self) -> Iterator[tuple[str, str]]:
        """Secrets that were sent to a service that they are not of."""
        services = {**self.place.services, **self.others, "another host": self.place.elsewhere}
        for name, service in services.items():
            for request in service.requests:
                sent = json.dumps([request.target, dict(request.headers)]).encode() + request.body
                yield from ((name, what) for what in self.canaries.found(sent) if owner_of(what) != name)


def trial_of(where: str, fault: str, command: str, looking: Looking) -> Trial:
    return Trial(Cell(f"secrets, {where}", fault, command), misses=missed(leaked=looking.leaked()))


def owner_of(what: str) -> str:
    """The service that a secret is for."""
    return "Plex" if what == "the token" else what.partition("'")[0]
