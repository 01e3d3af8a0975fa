"""A stand-in for Imagga v2: strict about what it is sent, true about what it has billed.

with Imagga() as imagga:
    engine = ImaggaEngine(ImaggaOptions(**imagga.options), memory)
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
from collections.abc import Callable, Sequence

from PIL import Image

from tests.servers.base import Answer, Request, Service
from tests.servers.forms import Part, parts

KEY = "acc_0123456789abcde"
SECRET = "5ecret/+of=the&account"
_LANGUAGES = """ar bg bs en ca cs cy da de el es et fi fr hr hu it ja ko nl pl pt ro ru sk sl sv
    zh_chs zh_cht sr_cyrl sr_latn"""
_WORDS = """architecture beach bird boat bridge building car city cloud coast dog face field flower forest
    garden grass harbour hill house island lake landscape mountain night ocean park path person plant river
    road rock sand sea sky snow street summer sun sunset tower travel tree valley vehicle water window winter"""
LANGUAGES = frozenset(_LANGUAGES.split())
WORDS = tuple(_WORDS.split())
Tags = Sequence[tuple[float, str]]


def words_for(picture: bytes) -> Tags:
    """Words that depend on the pixels alone, by falling confidence from 99 to below 30."""
    with Image.open(io.BytesIO(picture)) as image:
        pixels = hashlib.sha256(image.convert("RGB").tobytes()).digest()
    words = random.Random(pixels).sample(WORDS, 12)
    return [(99.5 - 7.25 * place, word) for place, word in enumerate(words)]


def _error(status: int, text: str) -> Answer:
    return Answer.of({"status": {"type": "error", "text": text}}, status)


class Imagga(Service):
    """Kinds of requests: `tags`, `usage`, `other`. Change the attributes to change the account."""

    def __init__(self, *, limit: int = 1000, processed: int = 0, at_once: int = 2) -> None:
        super().__init__()
        self.limit = limit
        self.processed = processed
        self.allowed_at_once: int | None = at_once
        """None: the usage does not say."""
        self.period_end = "18 of Oct, 2030"
        self.tags_for: Callable[[bytes], Tags] = words_for
        self.work = 0.0
        """Seconds that a picture takes."""
        self.billed: list[str] = []
        """SHA-256 of each picture that was charged for, in order."""
        self.working = 0
        self._told: tuple[int, int] | None = None  # what was left when last asked, and how much was billed then
        self._forms: dict[str, str] = {}

    @property
    def options(self) -> dict[str, object]:
        return {"api_key": KEY, "api_secret": SECRET, "api_url": f"{self.url}/v2"}

    def kind(self, method: str, path: str) -> str:
        if path == "/v2/usage":
            return "usage"
        return "tags" if path == "/v2/tags" or path.startswith("/v2/tags/") else "other"

    def answer(self, request: Request) -> Answer:
        basic = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return _error(401, "The provided authorization credentials are invalid")
        if request.kind == "usage":
            return self._usage(request) if request.method == "GET" else _error(405, "Method not allowed")
        if request.kind == "tags":
            return self._tags(request) if request.method == "POST" else _error(400, "No image was given")
        self.report(f"unknown address: {request.method} {request.path}")
        return _error(404, "Not found")

    def _usage(self, request: Request) -> Answer:
        with self.lock:
            self._told = (self.limit - self.processed, len(self.billed))
            counts = dict.fromkeys(("daily", "weekly", "monthly", "total"), self.processed)
            result: dict[str, object] = {
                "billing_period_start": "18 of Sep, 2030",
                "billing_period_end": self.period_end,
                "monthly_limit": self.limit,
                "last_usage": 1_916_000_000,
                **{f"{span}_processed": count for span, count in counts.items()},
                **{f"{span}_requests": count for span, count in counts.items()},
            }
            if request.one("concurrency") == "1" and self.allowed_at_once is not None:
                result["concurrency"] = {"max": self.allowed_at_once, "now": self.working}
            if request.one("history") == "1":
                result["usage"] = {"1916000000": self.processed}
        return Answer.of({"result": result, "status": {"type": "success", "text": ""}})

    def _tags(self, request: Request) -> Answer:
        with self.lock:
            self.working += 1
            allowed = self.allowed_at_once is None or self.working <= self.allowed_at_once
        refused = self._refused(request) if allowed else _error(429, "Too many requests at once")
        if refused is None:
            self.stopping.wait(self.work)
            return self._tagged(request, parts(request)[0].content)
        with self.lock:
            self.working -= 1
        return refused

    def _refused(self, request: Request) -> Answer | None:
        if self._is_over():
            return _error(403, "You have reached your monthly limits for this subscription.")
        wrong = self._wrong_query(request) or self._wrong_form(request)
        return _error(400, wrong) if wrong else None

    def _is_over(self) -> bool:
        """Whether the quota is used up; what others used since is no fault of this client."""
        with self.lock:
            if self._told is not None:
                left, billed = self._told
                if len(self.billed) - billed + self.working > left:
                    self.report("a request after the quota")
            return self.processed >= self.limit

    def _wrong_query(self, request: Request) -> str:
        unknown = set(request.query) - {
            "language",
            "tagger",
            "verbose",
            "decrease_parents",
            "threshold",
            "limit",
        }
        languages = set(request.one("language", "en").split(",")) - LANGUAGES
        if {"threshold", "limit"} & set(request.query):
            self.report("tags were left out at the service: threshold and limit are policy")
        if unknown or languages:
            return f"unknown parameter or language: {', '.join(sorted(unknown | languages))}"
        return ""

    def _wrong_form(self, request: Request) -> str:
        sent = parts(request)
        if [part.name for part in sent] != ["image"]:
            self.report(f"a form of {[part.name for part in sent]}, not one image")
            return "exactly one image is expected"
        return self._wrong_picture(sent[0], request)

    def _wrong_picture(self, part: Part, request: Request) -> str:
        if not part.content:
            self.report("an empty upload")
            return "the image is empty"
        try:
            with Image.open(io.BytesIO(part.content)) as image:
                image.load()
                odd = [name for name in ("exif", "xmp", "photoshop", "comment") if image.info.get(name)]
                seen = (image.format, image.mode, min(image.size))
        except (OSError, SyntaxError, ValueError):
            return "the image could not be decoded"
        if odd:
            self.report(f"a picture with {', '.join(odd)}")
        if seen[:2] != ("JPEG", "RGB") or seen[2] > 300:
            self.report(f"a picture that was not prepared: {seen}")
        digest = hashlib.sha256(part.content).hexdigest()
        with self.lock:
            if self._forms.setdefault(digest, request.digest) != request.digest:
                self.report("two tries with different bytes")
        return ""

    def _tagged(self, request: Request, picture: bytes) -> Answer:
        languages = request.one("language", "en").split(",")
        tags = [
            {"confidence": confidence, "tag": {language: translated(word, language) for language in languages}}
            for confidence, word in self.tags_for(picture)
        ]
        with self.lock:
            self.working -= 1
            self.processed += 1
            self.billed.append(hashlib.sha256(picture).hexdigest())
        return Answer.of({"result": {"tags": tags}, "status": {"type": "success", "text": ""}})


def translated(word: str, language: str) -> str:
    return word if language == "en" else f"{word} [{language}]"
