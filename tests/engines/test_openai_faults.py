"""What each fault of a vision server becomes: the tables call them E1 to E13."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.openai_bench import Waits, names, of_kind, one, started
from tests.servers.base import Fault
from tests.servers.openai import KEY, VisionServer
from tigertag.contract.engine import ask
from tigertag.contract.stand_ins import FakePermit, photos
from tigertag.engines.openai.answers import LONGEST_CAPTION, MOST
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.model import Analysis, Kind
from tigertag.model import Outcome as Bill


@pytest.fixture
def server() -> Iterator[VisionServer]:
    """One that bills, so that every request shows."""
    with VisionServer(key=KEY) as running:
        yield running
        assert running.damage == []


def error(message: str, code: str = "", kind: str = "invalid_request_error") -> bytes:
    return json.dumps({"error": {"message": message, "code": code or None, "type": kind}}).encode()


def answer(content: object, **choice: object) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}]}).encode()


class TestRefusals:
    """E1 to E4, E9, E13."""

    def test_a_key_rejected_in_mid_run_stops_every_thread(self, server: VisionServer) -> None:
        engine, permit = started(server), FakePermit()
        server.fail("chat", Fault(status=401, body=error("Incorrect API key")))
        for _ in range(3):
            with pytest.raises(PluginDown, match=r"rejected the API key \(401: Incorrect API key\)"):
                one(engine, permit)
        assert server.counts["chat"] == 1 and permit.outcomes == {Bill.FREE: 1}

    def test_a_model_that_is_not_there_is_named_with_what_to_do(self, server: VisionServer) -> None:
        with pytest.raises(PluginDown, match=r"has no model llava .*try pulling it first.*`ollama pull llava`"):
            one(started(server, model="llava"))

    def test_a_wrong_address_is_no_fault_of_the_photo(self, server: VisionServer) -> None:
        server.fail("chat", Fault(status=404, body=b"404 page not found", content_type="text/plain"))
        with pytest.raises(PluginDown, match=r"does not know /chat/completions \(404\): check api_url"):
            one(started(server))

    @pytest.mark.parametrize("status", [402, 429])
    def test_nothing_left_to_spend_is_planned(self, server: VisionServer, status: int) -> None:
        body = error("You exceeded your current quota", "insufficient_quota", "insufficient_quota")
        server.fail("chat", Fault(status=status, body=body), times=9)
        permit = FakePermit()
        with pytest.raises(PluginDown, match=r"asks for payment .*exceeded your current quota") as down:
            one(started(server), permit)
        assert down.value.planned and permit.outcomes == {Bill.FREE: 1}

    @pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("-3", 0), ("9" * 40, 300)])
    def test_too_fast_waits_as_long_as_asked_within_reason(
        self, server: VisionServer, header: str, seconds: float
    ) -> None:
        waits = Waits()
        limited = error("Rate limit reached", "rate_limit_exceeded", "requests")
        server.fail("chat", Fault(status=429, body=limited, headers={"Retry-After": header}))
        assert isinstance(one(started(server, waits)), Analysis) and waits == [seconds]

    def test_too_fast_for_ever_puts_it_aside(self, server: VisionServer) -> None:
        permit = FakePermit()
        server.fail("chat", Fault(status=429), times=99)
        with pytest.raises(PluginDown, match="too much to do") as down:
            one(started(server), permit)
        assert not down.value.planned and permit.outcomes == {Bill.FREE: 6}

    @pytest.mark.parametrize("status", [400, 413, 415, 422])
    def test_a_refused_photo_fails_and_the_next_goes_on(self, server: VisionServer, status: int) -> None:
        permit = FakePermit()
        server.fail("chat", Fault(status=status, body=error("too\nodd")))
        first, second = ask(started(server), photos(2), permit)
        assert isinstance(first, PhotoError) and str(first) == f"gemma3:4b refused it ({status}: too odd)"
        assert isinstance(second, Analysis) and permit.outcomes == {Bill.FREE: 1, Bill.BILLED: 1}

    @pytest.mark.parametrize(
        ("status", "message"),
        [
            (500, "image input is not supported - hint: if this is unexpected, provide the mmproj"),
            (400, "this model does not support image input"),
            (
                400,
                "Invalid content type. image_url is only supported by certain models; vision is not supported",
            ),
        ],
    )
    def test_a_blind_model_is_no_fault_of_the_photo(
        self, server: VisionServer, status: int, message: str
    ) -> None:
        server.fail("chat", Fault(status=status, body=error(message)), times=9)
        engine, permit = started(server), FakePermit()
        for _ in range(2):
            with pytest.raises(PluginDown, match="gemma3:4b sees no pictures"):
                one(engine, permit)
        assert server.counts["chat"] == 1 and permit.outcomes == {Bill.FREE: 1}

    def test_a_model_without_its_projector_is_found_out(self, server: VisionServer) -> None:
        server.sees = False
        with pytest.raises(PluginDown, match="mmproj"):
            one(started(server))

    def test_a_redirect_takes_no_key_along(self, server: VisionServer) -> None:
        with VisionServer() as elsewhere:
            server.fail("chat", Fault.redirect(f"{elsewhere.url}/v1/chat/completions", 307))
            with pytest.raises(PluginDown, match=r"unexpected redirect to 127\.0\.0\.1"):
                one(started(server))
            assert elsewhere.requests == []

    def test_a_server_that_vanishes_is_put_aside_with_nothing_billed(self) -> None:
        waits, permit = Waits(), FakePermit()
        with VisionServer(key=KEY) as gone:
            engine = started(gone, waits)
        with pytest.raises(PluginDown, match="Cannot reach gemma3:4b at http"):
            one(engine, permit)
        assert len(waits) == 5 and permit.outcomes == {Bill.UNSENT: 6}


class TestLostAnswers:
    """E5 to E7, E10, E11."""

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_failing_server_is_tried_three_more_times(self, server: VisionServer, status: int) -> None:
        permit = FakePermit()
        server.fail("chat", Fault.html(status), times=99)
        outcome = one(started(server), permit)
        assert isinstance(outcome, TransientError) and outcome.photo is not None
        assert permit.outcomes == {Bill.UNKNOWN: 4}

    @pytest.mark.parametrize(
        "fault",
        [Fault(status=503), Fault(reset="after"), Fault(reset="before"), Fault(hang=True), Fault(drip=0.05)],
    )
    def test_a_lost_answer_is_asked_for_once_more_with_the_same_bytes(
        self, server: VisionServer, fault: Fault
    ) -> None:
        permit = FakePermit()
        server.fail("chat", fault)
        assert isinstance(one(started(server, timeout=0.5), permit), Analysis)
        assert len({request.digest for request in server.of("chat")}) == 1
        assert permit.outcomes == {Bill.UNKNOWN: 1, Bill.BILLED: 1}

    def test_an_answer_lost_twice_is_never_asked_for_again_in_this_run(self, server: VisionServer) -> None:
        permit, engine = FakePermit(), started(server)
        server.fail("chat", Fault(reset="after"), times=99)
        for _ in range(3):
            outcome = one(engine, permit)
            assert isinstance(outcome, TransientError) and "maybe billed" in str(outcome)
        assert server.counts["chat"] == 2 and permit.outcomes == {Bill.UNKNOWN: 2}

    def test_where_nobody_bills_nothing_is_maybe_billed(self, server: VisionServer) -> None:
        server.fail("chat", Fault(reset="after"), times=99)
        permit = FakePermit()
        outcome = one(started(server, billed=False), permit)
        assert isinstance(outcome, TransientError) and "billed" not in str(outcome) and len(permit.sends) == 1

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", "empty"),
            (b"<html>504</html>", "HTML instead of JSON"),
            (b'{"choices": [{"mess', "not JSON"),
            (b"[" * 200_000, "nested too deeply"),
            (b" " * (17 << 20), "over 16384 KiB"),
            (b"[]", "it holds no choices"),
            (b'{"choices": []}', "it holds no choices"),
            (b'{"choices": "x"}', "it holds no choices"),
            (b'{"choices": [{"message": null}]}', "it holds no choices"),
            (answer(None), "the model said nothing"),
            (answer(""), "the model said nothing"),
            (answer("I see a dog."), "the model gave no JSON with tags"),
            (answer('{"tags": ["dog"'), "the model gave no JSON with tags"),
            (answer('{"tags": "dog"}'), "it holds no list of tags"),
            (answer("{" * 200_000), "nested too deeply"),
            (answer('{"a":' * 200_000), "nested too deeply"),
            (
                answer('{"tags": ["dog", ', finish_reason="length"),
                "it ends early, after 600 tokens: raise max_tokens, then scan --retry-failed",
            ),
        ],
    )
    def test_an_unreadable_answer_is_billed_and_not_asked_for_again(
        self, server: VisionServer, body: bytes, why: str
    ) -> None:
        permit = FakePermit()
        server.fail("chat", Fault(body=body))
        outcome = one(started(server), permit)
        assert isinstance(outcome, PhotoError) and outcome.photo is not None
        assert str(outcome) == f"gemma3:4b's answer could not be read ({why})"
        assert permit.outcomes == {Bill.BILLED: 1} and server.counts["chat"] == 1
        assert len(outcome.raw.encode()) <= 64 << 10

    def test_a_cut_answer_is_not_asked_for_again(self, server: VisionServer) -> None:
        server.fail("chat", Fault(cut=40))
        outcome = one(started(server))
        assert isinstance(outcome, PhotoError) and "it ends early" in str(outcome)
        assert server.counts["chat"] == 1

    @pytest.mark.parametrize(
        ("choice", "why"),
        [
            ({"finish_reason": "content_filter"}, "its filter"),
            ({"message": {"content": None, "refusal": "I can't help with that."}}, "I can't help with that."),
        ],
    )
    def test_a_model_may_refuse_a_photo(self, server: VisionServer, choice: dict[str, Any], why: str) -> None:
        server.fail("chat", Fault(body=answer("", **choice)))
        outcome = one(started(server))
        assert isinstance(outcome, PhotoError) and str(outcome) == f"gemma3:4b refused it ({why})"

    def test_an_error_in_a_good_answer_is_the_photo_s(self, server: VisionServer) -> None:
        server.fail("chat", Fault(body=error("provider returned error")))
        outcome = one(started(server))
        assert isinstance(outcome, PhotoError) and "provider returned error" in str(outcome)


class TestOddTags:
    """E8: the good ones stay."""

    @pytest.mark.parametrize(
        "confidence", ["NaN", "-5", "1e308", "1e999", '"0.9"', "null", "true", "101", "7", "9" * 400]
    )
    def test_an_odd_confidence_is_dropped(self, server: VisionServer, confidence: str) -> None:
        self._expect(server, f'{{"name": "odd", "confidence": {confidence}}}', ["good"], dropped=1)

    @pytest.mark.parametrize(
        "name", ["", "  ", "#", "two\nlines", "nul\x00", "x" * 61, "\ud800", 5, None, ["x"]]
    )
    def test_an_odd_name_is_dropped(self, server: VisionServer, name: object) -> None:
        self._expect(server, json.dumps({"name": name, "confidence": 0.5}), ["good"], dropped=1)

    @pytest.mark.parametrize("entry", ["null", "5", "[]", "{}", '{"confidence": 0.5}'])
    def test_an_odd_entry_is_dropped(self, server: VisionServer, entry: str) -> None:
        self._expect(server, entry, ["good"], dropped=1)

    @pytest.mark.parametrize(
        ("name", "tag"),
        [
            ("<b>dog</b>", "<b>dog</b>"),
            ("čaj 🐕", "čaj 🐕"),
            ("rock & roll", "rock & roll"),
            ("#dog", "dog"),
            ("dog.", "dog"),
            ("**dog**", "dog"),
        ],
    )
    def test_an_unusual_name_is_a_name(self, server: VisionServer, name: str, tag: str) -> None:
        self._expect(server, json.dumps({"name": name, "confidence": 0.5}), ["good", tag], dropped=0)

    def test_of_two_alike_the_surer_one_stays(self, server: VisionServer) -> None:
        self._expect(server, '{"name": "Good", "confidence": 0.95}', ["Good"], dropped=1)

    def test_a_model_that_repeats_itself_is_cut_short(self, server: VisionServer) -> None:
        server.says = lambda _: {"tags": [{"name": f"tag {n}", "confidence": n / 1000} for n in range(1000)]}
        outcome = one(started(server))
        assert isinstance(outcome, Analysis) and outcome.dropped == 1000 - MOST
        assert names(outcome)[0] == "tag 999" and len(names(outcome)) == MOST

    @pytest.mark.parametrize("caption", [5, ["x"], {"de": "Hund"}, True])
    def test_an_odd_caption_is_dropped(self, server: VisionServer, caption: object) -> None:
        server.says = lambda _: {"tags": ["dog"], "caption": caption}
        outcome = one(started(server))
        assert isinstance(outcome, Analysis) and outcome.dropped == 1 and names(outcome) == ["dog"]
        assert of_kind(outcome, Kind.TEXT) == []

    def test_a_caption_is_one_line_of_bearable_length(self, server: VisionServer) -> None:
        server.says = lambda _: {"tags": [], "caption": "A dog\x00\n" + "and a cat " * 1000}
        (caption,) = of_kind(one(started(server)), Kind.TEXT)
        assert str(caption.value).startswith("A dog and a cat") and len(str(caption.value)) == LONGEST_CAPTION

    @staticmethod
    def _expect(server: VisionServer, entry: str, tags: list[str], dropped: int) -> None:
        good = '{"name": "good", "confidence": 0.9}'
        server.says = lambda _: f'{{"tags": [{good}, {entry}], "caption": ""}}'
        outcome = one(started(server))
        assert isinstance(outcome, Analysis) and (names(outcome), outcome.dropped) == (tags, dropped)


def test_a_closed_engine_sends_nothing_more(server: VisionServer) -> None:
    engine = started(server)
    engine.close()
    with pytest.raises(PluginDown):
        one(engine)
    assert server.counts["chat"] == 0


def test_the_budget_stops_it(server: VisionServer) -> None:
    with pytest.raises(PluginDown, match="budget"):
        ask(started(server), photos(3), FakePermit(budget=2))
    assert server.counts["chat"] == 2


def test_no_fault_shows_a_secret(server: VisionServer) -> None:
    echo = error(f"key {KEY} and again sk-0123456789%2Babc%2Fdef")
    for status in (400, 500, 429, 403, 401, 404, 200):
        server.fail("chat", Fault(status=0 if status == 200 else status, body=echo), times=6)
        try:
            outcome = one(started(server))
            shown = repr(outcome) + getattr(outcome, "raw", "")
        except PluginDown as down:
            shown = str(down)
        server.heal()
        assert KEY not in shown and "%2Babc" not in shown


def test_an_answer_keeps_the_server_s_own_words(server: VisionServer) -> None:
    outcome = one(started(server))
    assert isinstance(outcome, Analysis) and json.loads(outcome.raw)["object"] == "chat.completion"
