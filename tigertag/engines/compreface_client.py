"""A small client for CompreFace's recognition service: addresses, keys, and when to try again.

Nothing here is billed, so reading and recognising are simply repeated. Adding an example is not idempotent
(exadel-inc/CompreFace#1090): it is tried once, and the caller finds out what became of it. There is no request
here that could delete more than one example: `DELETE …/subjects/` with an empty name deletes the collection.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from tigertag.engines.compreface_answers import (
    Page,
    Recognised,
    Refused,
    as_added,
    as_names,
    as_object,
    as_page,
    as_recognised,
    code_of,
    is_image_id,
    most_bytes,
    one_line,
)
from tigertag.errors import PluginDown, TransientError
from tigertag.http import (
    AnswerLost,
    Backoff,
    CertificateInvalid,
    Http,
    NotSent,
    Redirected,
    Reply,
    WireError,
    multipart,
    retry_after,
)

T = TypeVar("T")
Sleep = Callable[[float], object]
Params = Mapping[str, str | int]

_BASE = "/api/v1/recognition"
_PAGE = 1000
_MOST_PAGES = 10_000
_KEY_TROUBLE = {
    (400, 20): ("got no API key", "A proxy before it must let the header x-api-key through."),
    (400, 26): ("rejected the API key: it is not a UUID", "Copy the whole key of the recognition service."),
    (404, 10): (
        "rejected the API key: no recognition service has it",
        "Copy the key of a recognition service; detection and verification have others.",
    ),
}
_MIGRATING = (405, 32)
_MOST_WORDS = 4096
"""Characters of a message that are looked at: far more than are shown, lest a secret be cut and not found."""
_LOADING = 15
"""Repeats while the core loads its model: it answers 500/41, 502 or 503 for a minute or two."""


class Unanswered(Exception):
    """No usable answer this time. `sent` says that the service may have done the work."""

    def __init__(
        self,
        reason: str,
        *,
        sent: bool = True,
        timed_out: bool = False,
        is_busy: bool = False,
        asked: float | None = None,
    ) -> None:
        """`is_busy`: it was told to come later (429), in `asked` seconds where it was told when."""
        super().__init__(reason)
        self.sent, self.timed_out, self.is_busy, self.asked = sent, timed_out, is_busy, asked


class ServiceDown(PluginDown):
    """PluginDown whose text ends with what to do next."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}. {advice}")
        self.what, self.advice = what, advice


class Patience:
    """How often one request is repeated: five times where it never got there or there was too much to do, a few
    times where the service failed, once where it hung, and not at all once it is over."""

    def __init__(
        self, sleep: Sleep, is_over: Callable[[], bool], *, unsent: int = 5, failed: int = 3, hung: int = 1
    ) -> None:
        self._is_over = is_over
        self._unsent = Backoff(tries=unsent, total=60, sleep=sleep)
        self._busy = Backoff(tries=unsent, total=1500, sleep=sleep)
        self._failed = Backoff(tries=failed, longest=15, total=900, sleep=sleep)
        self._hung = Backoff(tries=hung, sleep=sleep)

    def again(self, trouble: Unanswered) -> bool:
        """Waits, and says whether to try again."""
        return not self._is_over() and self._wait(trouble) and not self._is_over()

    def _wait(self, trouble: Unanswered) -> bool:
        if not trouble.sent:
            return self._unsent.wait()
        if trouble.is_busy:
            return self._busy.wait(trouble.asked)
        if trouble.timed_out:
            return self._hung.wait()
        return self._failed.wait(trouble.asked)


@dataclass(frozen=True, slots=True)
class _Call:
    """A request, the same bytes at each try."""

    method: str
    path: str
    params: Params | None = None
    body: bytes | None = None
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What the service says of itself."""

    most_bytes: int
    """That a picture may have."""
    is_consistent: bool
    """False where another model computed the faces it holds: it would name the wrong people."""


class Client:
    """One recognition service. Safe to use from several threads."""

    def __init__(
        self, http: Http, *, threshold: float | None, sleep: Sleep, is_over: Callable[[], bool]
    ) -> None:
        """`threshold` is the detector's, 0..1; the service's own where None. `is_over` ends all tries."""
        self._http = http
        self._threshold: Params = {} if threshold is None else {"det_prob_threshold": f"{threshold:g}"}
        self._sleep, self._is_over = sleep, is_over
        self._tries = {"unsent": 5, "failed": 3, "hung": 1}

    def in_a_hurry(self) -> Client:
        """This client, but it repeats next to nothing, for somebody who waits for an answer."""
        other = copy.copy(self)
        other._tries = {"unsent": 1, "failed": 1, "hung": 0}
        return other

    def health(self, *, loading: bool = False) -> Health:
        """Needs no key. `loading` waits for a core that comes up. Raises ServiceDown, TransientError."""
        status = self._get("/api/v1/consistence/status", as_object, loading=loading)
        config = self._get("/api/v1/config", as_object, loading=loading)
        return Health(most_bytes(config), status.get("dbIsInconsistent") is not True)

    def subjects(self, *, loading: bool = False) -> tuple[str, ...]:
        """All names, which proves the key. Raises ServiceDown, TransientError."""
        return self._get(f"{_BASE}/subjects", as_names, loading=loading)

    def examples(self, subject: str | None = None) -> dict[str, str]:
        """Image id → subject, of the whole collection or of one subject in its own spelling.

        A listing that does not add up is read once more. Raises ServiceDown, TransientError.
        """
        only: Params = {} if subject is None else {"subject": subject}
        for _ in range(2):
            found, total = self._listed(only)
            if len(found) == total:
                return found
        raise TransientError(f"CompreFace listed {len(found)} of {total} examples: it changes while it is read")

    def _listed(self, only: Params) -> tuple[dict[str, str], int]:
        found: dict[str, str] = {}
        for number in range(_MOST_PAGES):
            page = self._page(number, only)
            found |= page.faces
            if number + 1 >= page.pages or not page.faces:
                break
        return found, page.total

    def _page(self, number: int, only: Params) -> Page:
        return self._get(f"{_BASE}/faces", as_page, {"page": number, "size": _PAGE, **only})

    def picture(self, image_id: str) -> bytes:
        """The bytes that were added; none where the service does not keep them."""
        return self._get(f"{_BASE}/faces/{_checked(image_id)}/img", lambda reply: reply.body)

    def add(self, subject: str, jpeg: bytes) -> str:
        """Adds an example in one try and gives its image id. Raises Refused, ServiceDown, Unanswered."""
        body, kind = multipart("file", "image.jpg", jpeg, "image/jpeg")
        call = _Call("POST", f"{_BASE}/faces", {"subject": subject, **self._threshold}, body, kind)
        try:
            return self._once(call, as_added)
        except Refused as refusal:
            # The key was proven by listing the subjects, so here 26 is about the name.
            if (refusal.status, refusal.code) != (400, 26):
                self._raise_if_down(refusal)
            raise

    def remove(self, image_id: str) -> None:
        """Deletes one example; one that is gone is fine. Raises ServiceDown, TransientError."""
        try:
            self._ask(_Call("DELETE", f"{_BASE}/faces/{_checked(image_id)}"), lambda _: None)
        except Refused as refusal:
            if refusal.status != 404:
                raise TransientError(f"CompreFace did not delete an example ({refusal})") from refusal

    def recognise(self, jpeg: bytes, again: Callable[[], object]) -> Recognised:
        """Finds and names faces. `again` is called before each repeat, and may end them by what it raises.

        Raises Refused (code 28: there are none), ServiceDown, TransientError.
        """
        body, kind = multipart("file", "image.jpg", jpeg, "image/jpeg")
        params: Params = {"limit": 0, "prediction_count": 1, **self._threshold}
        return self._ask(_Call("POST", f"{_BASE}/recognize", params, body, kind), as_recognised, again=again)

    def patience(self, *, loading: bool = False) -> Patience:
        """For one request."""
        return Patience(
            self._sleep, self._is_over, **{**self._tries, **({"failed": _LOADING} if loading else {})}
        )

    def _get(
        self, path: str, read: Callable[[Reply], T], params: Params | None = None, *, loading: bool = False
    ) -> T:
        """Asks what the service cannot well refuse. Raises ServiceDown, TransientError."""
        try:
            return self._ask(_Call("GET", path, params), read, loading=loading)
        except Refused as refusal:
            what = f"CompreFace at {self._http.origin} refused GET {path} ({refusal})"
            raise ServiceDown(what, "TigerTag knows CompreFace 1.2; is this another?") from refusal

    def _ask(
        self,
        call: _Call,
        read: Callable[[Reply], T],
        *,
        loading: bool = False,
        again: Callable[[], object] = lambda: None,
    ) -> T:
        """A request that may be repeated. Raises Refused, ServiceDown, TransientError."""
        patience = self.patience(loading=loading)
        while True:
            try:
                return self._once(call, read)
            except Unanswered as trouble:
                if not patience.again(trouble):
                    give_up(trouble)
                again()
            except Refused as refusal:
                self._raise_if_down(refusal)
                raise

    def _once(self, call: _Call, read: Callable[[Reply], T]) -> T:
        """One try. Raises Refused, ServiceDown, Unanswered."""
        try:
            reply = self._http.call(
                call.method, call.path, params=call.params, body=call.body, content_type=call.content_type
            )
            if reply.status < 300:
                return read(reply)
        except WireError as error:
            raise self._translated(error) from error
        code, message = code_of(reply)
        message = one_line(self._http.redact(message[:_MOST_WORDS]))
        if _may_pass(reply.status, code):
            asked = retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
            said = f"CompreFace answered {reply.status} ({message or 'no words'})"
            raise Unanswered(said, is_busy=reply.status == 429, asked=asked)
        raise Refused(reply.status, code, message)

    def _translated(self, error: WireError) -> Exception:
        match error:
            case CertificateInvalid():
                return ServiceDown(str(error), "Renew it, or make this machine trust it.")
            case NotSent():
                return Unanswered(str(error), sent=False)
            case Redirected():
                advice = "Set API_URL to where it lives: the key is sent to no other place."
                return ServiceDown(f"CompreFace at {self._http.origin}: {error}", advice)
            case AnswerLost():
                return Unanswered(str(error), timed_out=error.timed_out)
        return Unanswered(str(error))

    def _raise_if_down(self, refusal: Refused) -> None:
        """Raises ServiceDown for a refusal that every request would meet."""
        origin = self._http.origin
        trouble = _KEY_TROUBLE.get((refusal.status, refusal.code))
        if trouble is not None:
            raise ServiceDown(f"CompreFace at {origin} {trouble[0]}", trouble[1]) from refusal
        if refusal.status in (401, 402, 403, 407):
            advice = "Look at the proxy before CompreFace."
            raise ServiceDown(f"{origin} denied access ({refusal})", advice) from refusal
        if refusal.status in (404, 405, 406, 410) and refusal.code <= 0:
            what = f"{origin} does not answer as CompreFace does ({refusal})"
            raise ServiceDown(what, _ADDRESS) from refusal


_ADDRESS = "Are API_URL and API_PORT right?"


def give_up(trouble: Unanswered) -> NoReturn:
    """Raises what stands for `trouble` once the tries are used up: ServiceDown, TransientError."""
    if not trouble.sent:
        raise ServiceDown(str(trouble), f"Is it running? {_ADDRESS}") from trouble
    if trouble.is_busy:
        raise ServiceDown(str(trouble), "It has too much to do: the next scan asks again.") from trouble
    raise TransientError(str(trouble)) from trouble


def _may_pass(status: int, code: int) -> bool:
    """400/0 is what it says with its database connections or memory used up (CompreFace#884)."""
    return status >= 500 or status in (408, 429) or (status, code) in ((400, 0), _MIGRATING)


def _checked(image_id: str) -> str:
    """Only a whole id may stand in a path: without one the request would mean every example."""
    if not is_image_id(image_id):
        raise ValueError(f"{image_id!r} is no image id")
    return image_id
