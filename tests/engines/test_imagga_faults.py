"""What each fault of Imagga becomes: the tables call them E1 to E13."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engines.imagga_bench import Waits, one, started
from tests.servers.base import Fault
from tests.servers.imagga import KEY, SECRET, Imagga
from tigertag.contract.engine import ask
from tigertag.contract.stand_ins import FakePermit, photos
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.model import Analysis
from tigertag.model import Outcome as Bill


@pytest.fixture
def imagga() -> Iterator[Imagga]:
    with Imagga() as server:
        yield server
        assert server.damage == []


class TestRefusals:
    """E1 to E4, E9, E13."""

    def test_a_key_rejected_in_mid_run_stops_every_thread(self, imagga: Imagga) -> None:
        engine, permit = started(imagga), FakePermit()
        imagga.fail("tags", Fault(status=401))
        for _ in range(3):
            with pytest.raises(PluginDown, match="Imagga rejected the API key"):
                one(engine, permit)
        assert imagga.counts["tags"] == 1 and permit.outcomes == {Bill.FREE: 1}

    def test_forbidden_with_quota_left_is_the_key(self, imagga: Imagga) -> None:
        engine = started(imagga)
        imagga.fail("tags", Fault(status=403))
        with pytest.raises(PluginDown, match="Imagga rejected the API key") as down:
            one(engine)
        assert not down.value.planned and imagga.counts == {"usage": 2, "tags": 1}

    @pytest.mark.parametrize("status", [400, 413, 415, 422])
    def test_a_refused_photo_fails_and_the_next_goes_on(self, imagga: Imagga, status: int) -> None:
        permit = FakePermit()
        imagga.fail("tags", Fault(status=status, body=b'{"status": {"type": "error", "text": "too\\nodd"}}'))
        first, second = ask(started(imagga), photos(2), permit)
        assert isinstance(first, PhotoError) and str(first) == f"Imagga refused it ({status}: too odd)"
        assert isinstance(second, Analysis) and permit.outcomes == {Bill.FREE: 1, Bill.BILLED: 1}

    def test_a_wrong_address_is_no_fault_of_the_photo(self, imagga: Imagga) -> None:
        imagga.fail("tags", Fault(status=404))
        with pytest.raises(PluginDown, match=r"does not know /tags \(404\): check api_url"):
            one(started(imagga))

    def test_a_redirect_takes_no_key_along(self, imagga: Imagga) -> None:
        with Imagga() as elsewhere:
            imagga.fail("tags", Fault.redirect(f"{elsewhere.url}/v2/tags", 307))
            with pytest.raises(PluginDown, match=r"unexpected redirect to 127\.0\.0\.1"):
                one(started(imagga))
            assert elsewhere.requests == []

    def test_a_service_that_vanishes_is_put_aside_with_nothing_billed(self, imagga: Imagga) -> None:
        waits, permit = Waits(), FakePermit()
        with Imagga() as gone:
            engine = started(gone, waits)
        with pytest.raises(PluginDown, match="Cannot reach Imagga at http"):
            one(engine, permit)
        assert len(waits) == 5 and permit.outcomes == {Bill.UNSENT: 6}

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("7", 7), ("-3", 0), ("315360000", 300), ("9" * 40, 300), ("Sat, 01 Jan 2950 00:00:00 GMT", 300)],
    )
    def test_waits_as_long_as_asked_within_reason(self, imagga: Imagga, header: str, seconds: float) -> None:
        waits = Waits()
        imagga.fail("tags", Fault(status=429, headers={"Retry-After": header}))
        assert isinstance(one(started(imagga, waits)), Analysis)
        assert waits == [seconds]

    def test_too_many_requests_for_ever_puts_it_aside(self, imagga: Imagga) -> None:
        permit = FakePermit()
        imagga.fail("tags", Fault(status=429, headers={"Retry-After": "300"}), times=99)
        with pytest.raises(PluginDown, match="too much to do"):
            one(started(imagga), permit)
        assert permit.outcomes == {Bill.FREE: 6}

    def test_too_many_at_once_lowers_the_number(self, imagga: Imagga) -> None:
        imagga.allowed_at_once = 4
        engine = started(imagga, concurrency=4)
        imagga.fail("tags", Fault(status=429), times=3)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda photo: one(engine, photo=photo), photos(4)))
        imagga.most_at_once = 0
        with ThreadPoolExecutor(4) as pool:
            answers += pool.map(lambda photo: one(engine, photo=photo), photos(6))
        assert all(isinstance(answer, Analysis) for answer in answers) and imagga.most_at_once == 1


class TestLostAnswers:
    """E5 to E7, E10, E11."""

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_failing_service_is_tried_three_more_times(self, imagga: Imagga, status: int) -> None:
        permit = FakePermit()
        imagga.fail("tags", Fault.html(status), times=99)
        outcome = one(started(imagga), permit)
        assert isinstance(outcome, TransientError) and outcome.photo is not None
        assert permit.outcomes == {Bill.UNKNOWN: 4} and imagga.counts["tags"] == 4

    def test_a_service_that_recovers_gets_the_same_bytes(self, imagga: Imagga) -> None:
        permit = FakePermit()
        imagga.fail("tags", Fault(status=503), times=2)
        assert isinstance(one(started(imagga), permit), Analysis)
        assert len({request.digest for request in imagga.of("tags")}) == 1
        assert permit.outcomes == {Bill.UNKNOWN: 2, Bill.BILLED: 1}

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(reset="after"),
            Fault(reset="before"),
            Fault(hang=True),
            Fault(drip=0.05),
            Fault(drip=0.002, body=b" " * 10_000),
        ],
    )
    def test_a_lost_answer_is_asked_for_once_more(self, imagga: Imagga, fault: Fault) -> None:
        permit = FakePermit()
        imagga.fail("tags", fault)
        assert isinstance(one(started(imagga, limit=0.5), permit), Analysis)
        assert len({request.digest for request in imagga.of("tags")}) == 1
        assert permit.outcomes == {Bill.UNKNOWN: 1, Bill.BILLED: 1}

    def test_an_answer_lost_twice_is_never_asked_for_again_in_this_run(self, imagga: Imagga) -> None:
        permit, engine = FakePermit(), started(imagga)
        imagga.fail("tags", Fault(reset="after"), times=99)
        for _ in range(3):
            outcome = one(engine, permit)
            assert isinstance(outcome, TransientError) and "maybe billed" in str(outcome)
        assert imagga.counts["tags"] == 2 and permit.outcomes == {Bill.UNKNOWN: 2}

    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            (Fault(body=b""), "empty"),
            (Fault(body=b"<html>504</html>"), "HTML instead of JSON"),
            (Fault(cut=40), "it ends early"),
            (Fault(body=b'{"result": {"tags": [{"conf'), "not JSON"),
            (Fault(body=b"[" * 200_000), "nested too deeply"),
            (Fault(body=b'{"result": {"tags": "x"}}'), "no list of tags"),
            (Fault(body=b"[]"), "no list of tags"),
            (Fault(body=b'"\xff\xfe"'), "not UTF-8"),
            (Fault(body=b" " * (17 << 20)), "over 16384 KiB"),
        ],
    )
    def test_an_unreadable_answer_is_billed_and_not_asked_for_again(
        self, imagga: Imagga, fault: Fault, why: str
    ) -> None:
        permit = FakePermit()
        imagga.fail("tags", fault)
        outcome = one(started(imagga), permit)
        assert isinstance(outcome, PhotoError) and outcome.photo is not None
        assert str(outcome) == f"Imagga's answer could not be read ({why})"
        assert permit.outcomes == {Bill.BILLED: 1} and imagga.counts["tags"] == 1
        assert len(outcome.raw.encode()) <= 64 << 10

    def test_an_unreadable_answer_is_kept_without_secrets(self, imagga: Imagga) -> None:
        both = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        echo = f"<p>{KEY} {SECRET} {both} 5ecret%2F%2Bof%3Dthe%26account 5ecret\\/+of=the&account \x00 end"
        imagga.fail("tags", Fault(body=echo.encode()))
        outcome = one(started(imagga))
        assert isinstance(outcome, PhotoError) and outcome.raw == "<p>*** *** *** *** *** � end"

    def test_an_error_in_a_good_answer_is_the_photo_s(self, imagga: Imagga) -> None:
        imagga.fail("tags", Fault(body=b'{"result": {}, "status": {"type": "error", "text": "no image"}}'))
        outcome = one(started(imagga))
        assert isinstance(outcome, PhotoError) and str(outcome) == "Imagga refused it (no image)"


class TestOddTags:
    """E8: the good ones stay."""

    @pytest.mark.parametrize(
        "confidence", ["NaN", "-5", "1e308", "1e999", '"0.9"', "null", "true", "101", "9" * 400]
    )
    def test_an_odd_confidence_is_dropped(self, imagga: Imagga, confidence: str) -> None:
        self._answer(imagga, f'{{"confidence": {confidence}, "tag": {{"en": "odd"}}}}')
        self._expect(imagga, ["good"], dropped=1)

    @pytest.mark.parametrize("name", ["", "  ", "two\nlines", "nul\x00", "x" * 501, "\ud800", 5, None, ["x"]])
    def test_an_odd_name_is_dropped(self, imagga: Imagga, name: object) -> None:
        self._answer(imagga, json.dumps({"confidence": 50, "tag": {"en": name}}))
        self._expect(imagga, ["good"], dropped=1)

    @pytest.mark.parametrize("entry", ["null", "5", "[]", "{}", '{"confidence": 50, "tag": "word"}'])
    def test_an_odd_entry_is_dropped(self, imagga: Imagga, entry: str) -> None:
        self._answer(imagga, entry)
        self._expect(imagga, ["good"], dropped=1)

    @pytest.mark.parametrize("name", ["<b>dog</b>", "x" * 500, "čaj 🐕", "rock & roll, live"])
    def test_an_unusual_name_is_a_name(self, imagga: Imagga, name: str) -> None:
        self._answer(imagga, json.dumps({"confidence": 50, "tag": {"en": name}}))
        self._expect(imagga, ["good", name], dropped=0)

    def test_ten_thousand_tags_are_cut_to_the_surest_thousand(self, imagga: Imagga) -> None:
        imagga.tags_for = lambda _: [(number / 100, f"tag {number}") for number in range(10_000)]
        answer = one(started(imagga))
        assert isinstance(answer, Analysis) and (len(answer.annotations), answer.dropped) == (1000, 9000)
        assert answer.annotations[0].name == "tag 9999" and len(answer.raw.encode()) <= 64 << 10

    def test_of_two_alike_the_surer_one_stays(self, imagga: Imagga) -> None:
        self._answer(imagga, '{"confidence": 95, "tag": {"en": "Good"}}')
        self._expect(imagga, ["Good"], dropped=1)

    def test_a_name_in_another_language_stands_in(self, imagga: Imagga) -> None:
        self._answer(imagga, '{"confidence": 50, "tag": {"fr": "chien"}}')
        answer = one(started(imagga, language="de"))
        assert isinstance(answer, Analysis)
        assert [(tag.name, tag.language) for tag in answer.annotations] == [("good", "en"), ("chien", "fr")]

    @staticmethod
    def _answer(imagga: Imagga, entry: str) -> None:
        good = '{"confidence": 90, "tag": {"en": "good"}}'
        imagga.fail("tags", Fault(body=f'{{"result": {{"tags": [{good}, {entry}]}}}}'.encode()))

    @staticmethod
    def _expect(imagga: Imagga, names: list[str], dropped: int) -> None:
        answer = one(started(imagga))
        assert isinstance(answer, Analysis)
        assert ([tag.name for tag in answer.annotations], answer.dropped) == (names, dropped)


def test_a_closed_engine_sends_nothing_more(imagga: Imagga) -> None:
    engine = started(imagga)
    engine.close()
    with pytest.raises(PluginDown):
        one(engine)
    assert imagga.counts["tags"] == 0


def test_no_fault_shows_a_secret(imagga: Imagga) -> None:
    echo = json.dumps({"status": {"type": "error", "text": f"key {KEY} secret {SECRET}"}}).encode()
    for status in (400, 500, 429, 403, 401):
        imagga.fail("tags", Fault(status=status, body=echo), times=6)
        try:
            outcome = repr(one(started(imagga)))
        except PluginDown as down:
            outcome = str(down)
        imagga.heal()
        assert KEY not in outcome and SECRET not in outcome


def test_an_answer_keeps_the_service_s_own_words(imagga: Imagga) -> None:
    answer = one(started(imagga))
    assert isinstance(answer, Analysis) and json.loads(answer.raw)["status"]["type"] == "success"
