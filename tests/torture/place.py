"""A small library with all that surrounds it, each service behind a wire that can be spoiled."""

from __future__ import annotations

import shutil
import sqlite3
import ssl
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from click.testing import CliRunner
from requests.structures import CaseInsensitiveDict

from tests import databases
from tests.servers import imagga, openai
from tests.servers.base import Answer, Request, Service
from tests.servers.compreface import CompreFace
from tests.servers.compreface_faces import draw_people
from tests.servers.imagga import Imagga
from tests.servers.openai import VisionServer
from tests.servers.plex import PlexServer
from tests.servers.plex.answers import Question
from tests.torture.canaries import Canaries
from tests.torture.hurry import Hung, Names, Waits, clean_environment, hurried, watched
from tests.torture.shelf import PROGRESS
from tigertag.cli.main import cli

TOKEN = "cnry/plex+token=&%1~"
PHOTOS = 6
HOSTS = {"Plex": "plex.test", "Imagga": "imagga.test", "CompreFace": "faces.test", "OpenAI": "vision.test"}
Billing = Literal["Imagga", "OpenAI"]
PEOPLE = ("red", "lime", "cyan")
_PLEX_KINDS = {"listing": "listing page", "download": "download", "read": "tag read", "edit": "tag edit"}
_LONGEST_RUN = 300
"""Seconds of a run before it counts as hung; limits are shortened, so on an idle machine a tenth is much."""


class WiredPlex(Service):
    """The Plex stand-in, over a wire whose faults are those of all services."""

    def __init__(self) -> None:
        super().__init__()
        self.plex = PlexServer(TOKEN)

    def kind(self, method: str, path: str) -> str:
        if method == "GET" and path in ("/", "/library/sections"):
            return "identity" if path == "/" else "section list"
        kind = Question.of(method, path, {}).kind
        return _PLEX_KINDS.get(kind, kind)

    def answer(self, request: Request) -> Answer:
        headers = CaseInsensitiveDict(request.headers)
        reply, _ = self.plex.respond(request.method, request.target, headers)
        return Answer(reply.status, reply.body, reply.content_type, reply.headers)


@dataclass(frozen=True)
class Ran:
    """A run of the program, as a person sees it."""

    code: int
    out: str
    err: str
    seconds: float
    waits: Waits
    hung: bool = False

    @property
    def complaints(self) -> list[str]:
        """The lines on standard error, but for how far a slow run has come."""
        return [line for line in self.err.splitlines() if not PROGRESS.fullmatch(line)]


@dataclass(frozen=True)
class State:
    """All that a run is about: what Plex shows, and what is kept."""

    shown: Mapping[str, frozenset[str]]
    locked: frozenset[str]
    answered: frozenset[tuple[str, str]]
    """Engine and content id of what was answered."""
    pending: int
    """Deliveries that are still to be made."""

    def difference(self, other: State) -> str:
        """What `other` has and lacks, in a few words."""
        tags = [
            f"{path} {sorted(names - other.shown[path])} {sorted(other.shown[path] - names)}"
            for path, names in self.shown.items()
            if names != other.shown[path]
        ]
        answers = len(self.answered - other.answered)
        return f"tags of {len(tags)} photos {tags[:1]}, {answers} answers, {other.pending} not written"


@dataclass
class Place:
    """`plex`, `imagga`, `vision` and `faces` are the services; `run` runs the program against them.

    Of Imagga and OpenAI only the one that is `billing` is set up.
    """

    folder: Path
    plex: WiredPlex
    imagga: Imagga
    faces: CompreFace
    elsewhere: Elsewhere
    vision: VisionServer
    billing: Billing = "Imagga"
    names: Names = field(default_factory=Names)
    settings: dict[str, str] = field(default_factory=dict)
    certificates: Certificates | None = None
    secure: str = ""
    """The service that speaks TLS."""
    environment: dict[str, str] = field(default_factory=dict)
    """What the program finds there besides a home of its own."""

    @property
    def services(self) -> Mapping[str, Service]:
        return {"Plex": self.plex, self.billing: self._billing, "CompreFace": self.faces}

    @property
    def _billing(self) -> Service:
        return self.imagga if self.billing == "Imagga" else self.vision

    @property
    def charged(self) -> Counter[str]:
        """Pictures that were charged for."""
        return Counter(self.imagga.billed if self.billing == "Imagga" else self.vision.answered)

    @property
    def shown(self) -> Counter[str]:
        """Requests that may be billed."""
        kind = "tags" if self.billing == "Imagga" else "chat"
        return Counter(request.digest for request in self._billing.of(kind))

    @property
    def database(self) -> Path:
        return self.folder / "tigertag.db"

    def env_file(self) -> Path:
        path = self.folder / "tigertag.env"
        path.write_text("".join(f"{name}='{value}'\n" for name, value in self.settings.items()))
        path.chmod(0o600)
        return path

    def run(self, *arguments: str, limit: float = 10) -> Ran:
        """Runs `tigertag`; a service may be silent for `limit` seconds."""
        self.settings["ENGINE_COMPREFACE_TIMEOUT"] = str(2 * limit)
        if self.billing == "OpenAI":
            self.settings["ENGINE_OPENAI_TIMEOUT"] = str(2 * limit)
        waits, env = Waits(), self.env_file()
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        with ExitStack() as stack:
            trusted = {"REQUESTS_CA_BUNDLE": str(self.certificates.file)} if self.certificates else {}
            stack.enter_context(clean_environment(str(home), **{"NO_PROXY": "*"} | trusted | self.environment))
            stack.enter_context(hurried(waits, limit))
            stack.enter_context(self.names.known())
            clock = stack.enter_context(watched(_LONGEST_RUN))
            try:
                done = CliRunner().invoke(cli, ["--env-file", str(env), *arguments])
            except Hung:
                return Ran(-1, "", "", clock(), waits, hung=True)
            hung = isinstance(done.exception, Hung) or clock() >= _LONGEST_RUN
            return Ran(done.exit_code, done.stdout, done.stderr, clock(), waits, hung)

    def state(self) -> State:
        """How things stand."""
        plex = self.plex.plex
        shown = {plex.relative(photo): frozenset(plex.tags(key)) for key, photo in plex.photos.items()}
        locked = frozenset(plex.relative(photo) for photo in plex.photos.values() if photo.locked)
        answered, pending = self._kept()
        return State(shown, locked, answered, pending)

    def _kept(self) -> tuple[frozenset[tuple[str, str]], int]:
        answers = self._rows(
            "SELECT revision.plugin, photo.content_id FROM analysis JOIN revision ON revision.id = revision_id "
            "JOIN photo ON photo.id = photo_id WHERE state = 'done'"
        )
        pending = self._rows("SELECT 1 FROM delivery WHERE state = 'pending'")
        return frozenset((str(plugin), str(photo)) for plugin, photo in answers), len(pending)

    def sends(self) -> Counter[str]:
        """The requests that may be billed and were written down, by outcome."""
        return Counter(str(outcome) for (outcome,) in self._rows("SELECT outcome FROM send"))

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()

    def harm(self) -> list[str]:
        """What a careful client never does."""
        return [*self.plex.plex.damage(), *self.plex.damage, *self._billing.damage, *self.faces.damage]

    def leave(self, name: str, how: str) -> None:
        """From now on a service is not there: `refused`, `no such host`, or it shows another `certificate`."""
        service = self.services[name]
        service.struck += 1
        if how == "refused":
            service.go_away()
            return
        if how == "certificate" and self.certificates:
            service.speak_tls(self.certificates.unknown)
        else:
            self.names.forgotten.add(HOSTS[name])
        service.keep_no_connections()

    @property
    def canaries(self) -> Canaries:
        """The secrets of its settings."""
        return Canaries(
            {
                "the token": self.plex.plex.token,
                "Imagga's key": imagga.KEY,
                "Imagga's secret": imagga.SECRET,
                "CompreFace's key": self.faces.key,
                "OpenAI's key": self.vision.key,
            }
        )

    def leak(self, text: str) -> str | None:
        """Secrets that stand in a text; or a service that got one and is none of ours."""
        found = self.canaries.found(text)
        if self.elsewhere.requests:
            found.append("a request to another host")
        return ", ".join(found) or None

    def heal(self) -> None:
        """Every service is there again, and well."""
        self.names.forgotten.clear()
        if self.certificates and self.secure:
            self.services[self.secure].speak_tls(self.certificates.trusted)
        for service in self.services.values():
            service.heal()
            service.keeps_connections = True
            if service.is_away:
                service.start()

    def forget(self) -> None:
        """Requests are counted anew."""
        for service in self.services.values():
            service.requests.clear()
            service.counts.clear()


class Elsewhere(Service):
    """Where redirects lead to, and nobody should go."""

    def answer(self, request: Request) -> Answer:
        return Answer()


@dataclass(frozen=True)
class Certificates:
    """Of two authorities: the program is told of one, in `file`."""

    file: Path
    trusted: ssl.SSLContext
    unknown: ssl.SSLContext


class Places:
    """Makes places, all alike: pictures are drawn and the database is made once."""

    def __init__(self, folder: Path, elsewhere: Elsewhere, billing: Billing = "Imagga") -> None:
        self._folder, self.elsewhere, self.billing = folder, elsewhere, billing
        self._made = 0
        self._pictures = [
            draw_people(PEOPLE[number % 3], size=(160, 120), seed=number, face=60) for number in range(PHOTOS)
        ]
        self._empty = folder / "empty.db"
        databases.migrate(f"sqlite:///{self._empty}")
        self.certificates = _certificates(folder)

    @contextmanager
    def one(self, secure: str = "") -> Iterator[Place]:
        """A place; the service that `secure` names speaks TLS."""
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        shutil.copyfile(self._empty, folder / "tigertag.db")
        self.elsewhere.requests.clear()
        services = WiredPlex(), Imagga(limit=1000, at_once=2), CompreFace()
        place = Place(folder, *services, self.elsewhere, VisionServer(key=openai.KEY), self.billing)
        self._fill(place)
        with ExitStack() as stack:
            for name, service in place.services.items():
                stack.enter_context(service)
                if name == secure and self.certificates:
                    place.certificates, place.secure = self.certificates, secure
                    service.speak_tls(self.certificates.trusted)
            place.settings |= _settings(place)
            yield place
        shutil.rmtree(folder)

    def _fill(self, place: Place) -> None:
        plex = place.plex.plex
        plex.add_section("Photos")
        for number, picture in enumerate(self._pictures):
            plex.add_photo(
                ("", "Summer", "Summer/Sea")[number % 3],
                f"IMG_{number}.jpg",
                picture,
                tags=("Holiday", "my dog") if number % 2 == 0 else (),
                locked=number % 3 == 0,
            )
        for person in PEOPLE:
            place.faces.seed(f"Person {person}", draw_people(person, size=(160, 120), seed=50, face=60))


@contextmanager
def places(billing: Billing = "Imagga") -> Iterator[Places]:
    """Where places are made; all is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, Elsewhere() as elsewhere:
        yield Places(Path(folder), elsewhere, billing)


def _certificates(folder: Path) -> Certificates | None:
    """None where openssl is not installed."""
    names = ",".join(f"DNS:{host}" for host in HOSTS.values())
    contexts = []
    for name in ("trusted", "unknown"):
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        make += ["-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-days", "2"]
        try:
            done = [*make, "-keyout", str(key), "-out", str(certificate)]
            subprocess.run(done, check=True, capture_output=True)
        except FileNotFoundError:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        contexts.append(context)
    return Certificates(folder / "trusted.pem", contexts[0], contexts[1])


def _settings(place: Place) -> dict[str, str]:
    def address(name: str) -> str:
        port = place.services[name].url.rpartition(":")[2]
        return f"{'https' if name == place.secure else 'http'}://{HOSTS[name]}:{port}"

    if place.billing == "Imagga":
        keys = {**place.imagga.options, "api_url": address("Imagga") + "/v2"}
    else:
        keys = {**place.vision.options, "api_url": address("OpenAI") + "/v1"}
    return {
        "DB_URL": f"sqlite:///{place.database}",
        "PLEX_URL": address("Plex"),
        "PLEX_TOKEN": place.plex.plex.token,
        "PLEX_SECTIONS": "Photos",
        **{f"ENGINE_{place.billing.upper()}_{name.upper()}": str(value) for name, value in keys.items()},
        f"ENGINE_{place.billing.upper()}_CONCURRENCY": "2",
        "ENGINE_COMPREFACE_API_KEY": place.faces.key,
        "ENGINE_COMPREFACE_API_URL": address("CompreFace"),
    }
