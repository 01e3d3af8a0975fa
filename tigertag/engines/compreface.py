"""CompreFace: names the people on a photo, by the examples it was given.

A face with a subject is a person, one without is a face; both have a box. The similarity is stored as it came,
the threshold is policy. `people sync` and every start bring the service's examples in line with `faces.yaml` or
the faces folder; what the service holds beyond that belongs to others and is left alone.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from PIL import Image
from pydantic import Field, SecretStr, field_validator

from tigertag import __version__
from tigertag.engines.compreface_answers import NO_FACE, Refused, annotations_of
from tigertag.engines.compreface_book import Book
from tigertag.engines.compreface_client import Client, Health, ServiceDown, Sleep
from tigertag.engines.compreface_faces import Example, Faces, Unreadable, open_file
from tigertag.engines.compreface_sync import Sync, collection, plan, standing_refusal
from tigertag.errors import ConfigError, PhotoError, PluginDown, TransientError
from tigertag.http import Http
from tigertag.media import open_photo
from tigertag.model import (
    JSON,
    Analysis,
    Annotation,
    Finding,
    Kind,
    Memory,
    Permit,
    Person,
    Photo,
    Quota,
    Rendition,
    Synced,
    fold,
)
from tigertag.options import EngineOptions

log = logging.getLogger(__name__)

LONG_SIDE, QUALITY = 1600, 90
_SMALLER = (
    *(Rendition(long_side=LONG_SIDE, quality=quality) for quality in (QUALITY, 80, 70, 60, 45)),
    *(Rendition(long_side=side, quality=60) for side in (1280, 1024, 800, 640)),
)
"""What is tried, in this order, until a picture is under the service's limit."""


class CompreFaceOptions(EngineOptions):
    """Options of CompreFace."""

    min_confidence: float = Field(85, ge=0, le=100, description="Percent; less similar faces are not named.")
    concurrency: int = Field(2, ge=1, le=64, description="Requests under way; CompreFace itself works on 2.")
    api_key: SecretStr = Field(description="Key of a recognition service (x-api-key), a UUID.")
    api_url: str = Field(
        "http://localhost", description="Where CompreFace is; a port in it wins over API_PORT."
    )
    api_port: int = Field(8000, ge=1, le=65535, description="Port of CompreFace, where API_URL has none.")
    faces_folder: Path | None = Field(
        None, description="Folder with example pictures; without a faces.yaml each folder in it is a person."
    )
    faces_config: Path | None = Field(
        None, description="The faces.yaml; without it the one in the faces folder, if there is one."
    )
    det_prob_threshold: float | None = Field(
        None, gt=0, lt=1, description="How sure of a face the detector must be, 0 to 1; else CompreFace's own."
    )
    timeout: float = Field(60, gt=0, le=600, description="Seconds that one request may take.")

    @field_validator("api_key")
    @classmethod
    def _is_one_word(cls, key: SecretStr) -> SecretStr:
        word = key.get_secret_value().strip()
        if not word or not word.isascii() or not word.isprintable() or " " in word:
            raise ValueError("copy the key of a recognition service from CompreFace: a UUID")
        return SecretStr(word)

    @field_validator("api_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url.strip())
            known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
        except ValueError:
            known = False
        if not known or parts.username is not None or parts.query or parts.fragment:
            raise ValueError("write it like http://localhost or https://nas:8443")
        return url.strip().rstrip("/")

    @property
    def address(self) -> str:
        """The base URL, with the port."""
        parts = urlsplit(self.api_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port or self.api_port}{parts.path}"


@contextmanager
def _or_down() -> Iterator[None]:
    """Without the service there is no going on, so what may pass puts the engine aside."""
    try:
        yield
    except TransientError as error:
        raise ServiceDown(str(error), "Look at CompreFace's log and try again.") from error


class CompreFaceEngine:
    """Engine and KnowsPeople. Building it does no I/O."""

    Options = CompreFaceOptions
    name = "compreface"
    version = __version__
    reads: Literal["picture"] = "picture"
    billed = False
    batch_size = 1
    renditions: ClassVar[tuple[Rendition, ...]] = _SMALLER[:1]
    runs_in: Literal["thread"] = "thread"
    resources: ClassVar[Mapping[str, float]] = {}

    def __init__(self, options: CompreFaceOptions, memory: Memory, *, sleep: Sleep | None = None) -> None:
        """`sleep` is how to wait between tries; by default `close` ends a wait."""
        self._options = options
        self._closed = threading.Event()
        self.concurrency = options.concurrency
        key = options.api_key.get_secret_value()
        self._http = Http(
            options.address,
            service="CompreFace",
            headers={"x-api-key": key},
            read_timeout=options.timeout,
            total_timeout=options.timeout,
            pool_size=options.concurrency + 1,
            secrets=(key,),
        )
        threshold = options.det_prob_threshold
        self._client = Client(
            self._http, threshold=threshold, sleep=sleep or self._closed.wait, is_over=self._closed.is_set
        )
        # The key is what names a collection, wherever its service moves; its hash tells nobody the key.
        self._service = hashlib.sha256(key.lower().encode()).hexdigest()[:16]
        self._book = Book(memory, self._service, threshold)
        self._faces = Faces(options.faces_folder, options.faces_config)
        self._sync_lock = threading.Lock()
        self._health = Health(most_bytes=5 << 20, is_consistent=True)
        self._final: Mapping[str, JSON] | None = None
        self._spelling: Mapping[str, str] = {}

    @property
    def sends(self) -> str:
        host = urlsplit(self._options.address).netloc
        return f"sends pictures of at most {LONG_SIDE} px without metadata to {host}"

    @property
    def settings(self) -> Mapping[str, JSON]:
        """All that changes an answer, the examples among it. Final after `start`; reads own files before.

        Raises ConfigError for a faulty faces.yaml.
        """
        return self._final if self._final is not None else self._settings(frozenset())

    def _settings(self, failed: frozenset[tuple[str, str]]) -> Mapping[str, JSON]:
        return {
            "service": self._service,
            "long_side": LONG_SIDE,
            "quality": QUALITY,
            "det_prob_threshold": self._options.det_prob_threshold,
            "examples": collection(self._faces.wanted(), self._book, failed),
            "others": self._book.others,
        }

    def start(self) -> None:
        """Waits for the core, proves the key, and adds missing examples. Raises PluginDown, ConfigError.

        None is removed: a file that is away for a night is no wish.
        """
        with _or_down():
            self._connect(self._client, loading=True)
            if not self._faces.is_given:
                self._book.note_remote(self._client.examples())
                self._final = self._settings(frozenset())
                return
        synced = self._sync(removes=False, dry_run=False)
        for problem in synced.problems:
            log.warning("%s: %s", self.name, problem)
        if synced.unwanted:
            log.warning(
                "%s: no longer among the faces, but still known to CompreFace: %s%s; "
                "`tigertag people sync` removes them",
                self.name,
                synced.unwanted[0],
                f" and {len(synced.unwanted) - 1:,} more" if synced.unwanted[1:] else "",
            )

    def _connect(self, client: Client, *, loading: bool) -> tuple[str, ...]:
        """The subjects there are. Raises ServiceDown, TransientError."""
        self._health = client.health(loading=loading)
        if not self._health.is_consistent:
            raise ServiceDown(
                f"CompreFace at {self._http.origin} says dbIsInconsistent: another model computed the faces it "
                "holds, so it would name the wrong people",
                "Start it with the model it had, or run its migration.",
            )
        return client.subjects(loading=loading)

    def quota(self) -> Quota | None:
        return None

    def sync(self, *, dry_run: bool = False) -> Synced:
        """Adds missing examples, removes those TigerTag added that nobody wants any more; twice is once.

        Raises ConfigError, PluginDown.
        """
        return self._sync(removes=True, dry_run=dry_run)

    def _sync(self, *, removes: bool, dry_run: bool) -> Synced:
        with self._sync_lock, _or_down():
            wanted = self._faces.wanted()
            self._connect(self._client, loading=False)
            work = Sync(self._client, self._book, self._render, removes=removes, dry_run=dry_run)
            synced = work.run(wanted)
            if not dry_run:
                self._spelling = {fold(example.subject): example.subject for example in wanted.examples}
                self._final = self._settings(work.failed)
            return synced

    def _render(self, example: Example) -> bytes:
        with open_file(example.path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != example.sha256:
            raise Unreadable("changed while it was read")
        with open_photo(io.BytesIO(content), example.name) as photo:
            return self._fitting(photo.jpeg, example.name)

    def _fitting(self, jpeg: Callable[[Rendition], bytes], name: str) -> bytes:
        """The largest rendition that the service takes. Raises PhotoError."""
        for rendition in _SMALLER:
            made = jpeg(rendition)
            if len(made) <= self._health.most_bytes:
                return made
        raise PhotoError(
            f"{name} cannot be made smaller than the {self._health.most_bytes} bytes CompreFace takes"
        )

    def people(self) -> Sequence[Person]:
        """By name. Raises ConfigError, PluginDown."""
        wanted, ours = self._faces.wanted(), self._book.examples()
        with _or_down():
            subjects = self._connect(self._client, loading=False)
            remote = self._client.examples()
        asked = Counter(fold(example.subject) for example in wanted.examples)
        by_us = Counter(fold(name) for image_id, name in remote.items() if image_id in ours)
        others = Counter(fold(name) for image_id, name in remote.items() if image_id not in ours)
        names = {fold(e.subject): e.subject for e in wanted.examples} | {fold(n): n for n in subjects}
        return [Person(names[key], by_us[key], others[key], asked[key]) for key in sorted(names)]

    def analyze(
        self, photos: Sequence[Photo], permit: Permit
    ) -> Iterable[Analysis | PhotoError | TransientError]:
        for photo in photos:
            yield self._analyze(photo, permit)

    def _analyze(self, photo: Photo, permit: Permit) -> Analysis | PhotoError | TransientError:
        try:
            jpeg = self._fitting(photo.jpeg, photo.name)
        except PhotoError as error:
            return PhotoError(str(error), photo)
        try:
            answer = self._client.recognise(jpeg, lambda: permit(photo))
        except Refused as refusal:
            if refusal.code == NO_FACE:
                return Analysis(photo)  # the picture was decoded here, so 28 does not mean a broken one
            return PhotoError(f"{photo.name}: {refusal.why}", photo)
        except TransientError as error:
            return TransientError(f"{photo.name}: {error}", photo)
        with Image.open(io.BytesIO(jpeg)) as sent:
            found, dropped = annotations_of(answer.faces, sent.size)
        return Analysis(photo, tuple(map(self._spelled, found)), self._http.kept(answer.body), dropped)

    def _spelled(self, found: Annotation) -> Annotation:
        """A person under the name the user gives, where the service differs in case only."""
        name = self._spelling.get(fold(found.name), found.name) if found.kind is Kind.PERSON else found.name
        return Annotation(found.kind, name, found.confidence, found.box)

    def check(self) -> Iterable[Finding]:
        """Asks a few things and changes nothing."""
        try:
            yield from self._findings()
        except ConfigError as error:
            for fault in error.faults:
                yield Finding(False, fault, "Put it right; faces.yaml.example shows how it looks.")
        except ServiceDown as error:
            yield Finding(False, error.what, error.advice)
        except (TransientError, PluginDown) as error:
            yield Finding(False, str(error), "Try again, and look at CompreFace's log.")

    def _findings(self) -> Iterator[Finding]:
        client = self._client.in_a_hurry()
        subjects = self._connect(client, loading=False)
        yield Finding(True, f"CompreFace at {self._http.origin} is up and accepts the key")
        remote, records = client.examples(), self._book.examples()
        ours = sum(image_id in records for image_id in remote)
        yield Finding(
            True, f"{len(subjects)} people with {len(remote)} examples, {ours} of them added by TigerTag"
        )
        if not self._faces.is_given:
            return
        wanted = self._faces.wanted()
        todo = plan(wanted, records, remote)
        refused = [e for e in todo.missing if standing_refusal(self._book, e)]
        missing = len(todo.missing) - len(refused)
        if missing or todo.unwanted:
            counts = f"{missing} examples to add, {len(todo.unwanted)} to remove"
            yield Finding(True, f"{counts}: `tigertag people sync` does both, the next scan only adds")
        told = [f"{e.name} ({e.subject}): {standing_refusal(self._book, e)}" for e in refused]
        for problem in (*wanted.problems, *told):
            yield Finding(False, problem, "The other examples are used; put this one right.")

    def close(self) -> None:
        """Twice is once. Ends waits between tries."""
        self._closed.set()
        self._http.close()
