"""The base of engines that ask a service: what becomes of a request, and of the book, by how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.pictures import jpeg_bytes
from tigertag.contract.stand_ins import FakePermit, FakePhoto, photos
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.http import AnswerLost, BadReply, CertificateInvalid, Http, NotSent, Redirected, Reply, WireError
from tigertag.model import JSON, Analysis, Finding, Outcome, Quota, Rendition, Send
from tigertag.service import Advice, Answered, Pace, ServiceEngine, Turn

GOOD = Reply("Seer", 200, {}, b"{}")
CUT = AnswerLost("Seer gave no whole answer (it ends early)", timed_out=False, status=200, body=b'{"ta')
SILENT = AnswerLost("Seer gave no whole answer (timed out)", timed_out=True)
DRIPS = AnswerLost("Seer gave no whole answer (timed out)", timed_out=True, status=200)
REFUSED = AnswerLost("Seer gave no whole answer (it ends early)", timed_out=False, status=413, body=b"too")
UNREADABLE = BadReply("Seer's answer could not be read (over 64 KiB)", status=200)
AWAY = NotSent("Cannot reach Seer (connection refused)")
MOVED = Redirected("unexpected redirect to elsewhere", status=302)
FALSE = CertificateInvalid("The certificate of Seer is not valid (expired)")


@dataclass
class Wire:
    """Ends each request as the script says; the last one for ever."""

    script: list[Reply | WireError]
    sent: int = 0
    waits: list[float] = field(default_factory=list)

    def ask(self) -> Reply:
        told = self.script[min(self.sent, len(self.script) - 1)]
        self.sent += 1
        if isinstance(told, Reply):
            return told
        raise told


class Seer(ServiceEngine):
    """Says nothing of a photo that was answered with 200, and refuses any other."""

    advice = Advice(address="check api_url", online="is it running?")
    name = "seer"
    version = "1"
    sends = "sends copies to nobody"
    renditions = (Rendition(long_side=64),)

    def __init__(self, wire: Wire, *, billed: bool) -> None:
        http = Http("http://127.0.0.1:9", service="Seer")
        super().__init__(http, Pace(wire.waits.append, lambda _, most: most))
        self.billed = billed
        self._wire = wire

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {}

    def start(self) -> None: ...

    def quota(self) -> Quota | None:
        return None

    def check(self) -> Iterable[Finding]:
        return ()

    def _try(self, turn: Turn) -> Answered | None:
        return self._send(turn, self._wire.ask, self._judge)

    def _judge(self, turn: Turn, send: Send, reply: Reply) -> Answered:
        if reply.status != 200:
            self._settle_free(send)
            return PhotoError(f"refused with {reply.status}", turn.photo)
        send.settle(Outcome.BILLED)
        return Analysis(turn.photo)


def asked(wire: Wire, permit: Callable[..., Send] | None = None, *, billed: bool = True) -> Answered:
    (outcome,) = Seer(wire, billed=billed).analyze(photos(1), permit or FakePermit())
    return outcome


@pytest.mark.parametrize(
    ("script", "kind", "outcomes"),
    [
        ([GOOD], Analysis, [Outcome.BILLED]),
        ([AWAY, AWAY, GOOD], Analysis, [Outcome.UNSENT, Outcome.UNSENT, Outcome.BILLED]),
        ([SILENT, GOOD], Analysis, [Outcome.UNKNOWN, Outcome.BILLED]),
        ([DRIPS], TransientError, [Outcome.UNKNOWN, Outcome.UNKNOWN]),
        ([CUT], PhotoError, [Outcome.BILLED]),
        ([UNREADABLE], PhotoError, [Outcome.BILLED]),
        ([REFUSED], PhotoError, [Outcome.FREE]),
    ],
)
def test_every_request_is_in_the_book_with_what_became_of_it(
    script: list[Reply | WireError], kind: type[Answered], outcomes: list[Outcome]
) -> None:
    permit = FakePermit()
    assert type(asked(Wire(script), permit)) is kind
    assert [send.outcome for send in permit.sends] == outcomes


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([AWAY], "Cannot reach Seer (connection refused); is it running?"),
        ([FALSE], "The certificate of Seer is not valid (expired); check api_url"),
        ([MOVED], "Seer at http://127.0.0.1:9: unexpected redirect to elsewhere; check api_url"),
    ],
)
def test_a_service_that_serves_nobody_is_put_aside_with_advice(
    script: list[Reply | WireError], said: str
) -> None:
    wire = Wire(script)
    engine = Seer(wire, billed=True)
    with pytest.raises(PluginDown) as down:
        list(engine.analyze(photos(1), FakePermit()))
    sent = wire.sent
    with pytest.raises(PluginDown) as again:
        list(engine.analyze(photos(1), FakePermit()))
    assert (str(down.value), str(again.value), wire.sent) == (said, said, sent)


def test_without_a_permit_nothing_is_sent() -> None:
    wire = Wire([GOOD])
    with pytest.raises(PluginDown, match="budget"):
        asked(wire, FakePermit(budget=0))
    assert wire.sent == 0


def test_what_nobody_bills_needs_no_permit() -> None:
    permit = FakePermit()
    assert isinstance(asked(Wire([GOOD]), permit, billed=False), Analysis)
    assert permit.sends == []


@pytest.mark.parametrize(("billed", "said"), [(True, "; maybe billed"), (False, "(timed out)")])
def test_copies_of_a_photo_whose_answer_was_lost_twice_are_not_asked_about(billed: bool, said: str) -> None:
    wire = Wire([SILENT])
    engine = Seer(wire, billed=billed)
    copies = [FakePhoto(jpeg_bytes(1), name) for name in ("a.jpg", "b.jpg")]
    first, second = engine.analyze(copies, FakePermit())
    assert str(first).endswith(said)
    assert "was lost twice in this run" in str(second)
    assert wire.sent == 2


def test_a_closed_engine_asks_nobody() -> None:
    wire = Wire([GOOD])
    engine = Seer(wire, billed=True)
    engine.close()
    with pytest.raises(PluginDown, match="the run is ending"):
        list(engine.analyze(photos(1), FakePermit()))
    assert wire.sent == 0
