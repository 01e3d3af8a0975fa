"""Imagga against its stand-in: what it asks, what it says, how it starts, where it stops."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from tests.engines.imagga_bench import Waits, build, named, one, started
from tests.pictures import jpeg_bytes
from tests.servers.base import Fault
from tests.servers.imagga import KEY, SECRET, Imagga, words_for
from tigertag.contract.engine import Bench, EngineContract, Outcome, ask, said
from tigertag.contract.stand_ins import FakePermit, FakePhoto, photos
from tigertag.engines.imagga import ImaggaEngine, ImaggaOptions
from tigertag.engines.imagga.engine import RENDITION
from tigertag.errors import PluginDown
from tigertag.media.photo import open_photo
from tigertag.model import Analysis, Photo
from tigertag.model import Outcome as Bill

SHARED = Path(__file__).parents[2] / "../shared/photos"


@pytest.fixture
def imagga() -> Iterator[Imagga]:
    with Imagga() as server:
        yield server
        assert server.damage == []


class TestImagga(EngineContract):
    @pytest.fixture
    def bench(self, imagga: Imagga) -> Bench:
        return Bench(
            ImaggaEngine,
            imagga.options,
            secrets=(KEY, SECRET),
            requests=lambda: imagga.counts["tags"],
            extra={"sleep": Waits()},
        )


class TestAsking:
    def test_a_photo_is_one_request_with_a_small_plain_picture(self, imagga: Imagga) -> None:
        file = io.BytesIO(jpeg_bytes(1, size=(1600, 1200), camera=("Maker", "Model"), gps=(48.1, 11.5)))
        with open_photo(file, "a.jpg") as photo:
            outcome = one(started(imagga), photo=photo)
        assert isinstance(outcome, Analysis) and imagga.counts["tags"] == 1
        with Image.open(io.BytesIO(imagga.requests[-1].body.split(b"\r\n\r\n", 1)[1])) as sent:
            assert (sent.size, dict(sent.getexif())) == ((400, 300), {})

    def test_a_small_picture_is_not_enlarged(self, imagga: Imagga) -> None:
        small = FakePhoto(jpeg_bytes(1, size=(120, 90)))
        one(started(imagga), photo=small)
        assert imagga.requests[-1].body.count(small.jpeg(RENDITION)) == 1

    def test_english_alone_is_not_asked_for(self, imagga: Imagga) -> None:
        one(started(imagga))
        assert imagga.requests[-1].query == {}

    def test_languages_are_asked_for_and_told_apart(self, imagga: Imagga) -> None:
        answer = one(started(imagga, language="de, en"))
        assert imagga.requests[-1].query == {"language": ["de,en"]}
        assert isinstance(answer, Analysis)
        assert {tag.language for tag in answer.annotations} == {"de", "en"}

    @pytest.mark.parametrize("blank", ["", " ", None, 7])
    def test_english_stands_in_for_a_name_that_is_none(self, imagga: Imagga, blank: object) -> None:
        tags = [{"confidence": 61.4, "tag": {"de": blank, "en": "mountain"}}]
        imagga.fail("tags", Fault(body=json.dumps({"result": {"tags": tags}}).encode()))
        answer = one(started(imagga, language="de"))
        assert isinstance(answer, Analysis) and answer.dropped == 0
        assert [(tag.name, tag.language) for tag in answer.annotations] == [("mountain", "en")]

    def test_a_tagger_is_named_in_the_path(self, imagga: Imagga) -> None:
        one(started(imagga, tagger="my_tagger"))
        assert imagga.requests[-1].path == "/v2/tags/my_tagger"

    def test_all_tags_are_kept_with_their_confidence(self, imagga: Imagga) -> None:
        (photo,) = photos(1)
        answer = said([one(started(imagga), photo=photo)])[photo.name]
        true = words_for(photo.jpeg(RENDITION))
        assert [(tag.name, tag.language) for tag in answer] == [(word, "en") for _, word in true]
        assert [tag.confidence * 100 for tag in answer] == pytest.approx([confidence for confidence, _ in true])

    def test_no_tags_are_an_answer(self, imagga: Imagga) -> None:
        imagga.tags_for = lambda _: []
        answer = one(started(imagga))
        assert isinstance(answer, Analysis) and answer.annotations == ()

    def test_answers_stay_with_their_photos_under_concurrency(self, imagga: Imagga) -> None:
        imagga.allowed_at_once = 8
        engine, shown = started(imagga, concurrency=8), photos(24, size=(320, 240))
        with ThreadPoolExecutor(8) as pool:
            outcomes = [outcome for answer in pool.map(lambda p: ask(engine, [p]), shown) for outcome in answer]
        answers = said(outcomes)
        for photo in shown:
            true = [word for _, word in words_for(photo.jpeg(RENDITION))]
            assert [tag.name for tag in answers[photo.name]] == true

    def test_real_photos_get_their_own_tags(self, imagga: Imagga) -> None:
        files = sorted(SHARED.glob("*.jpg"))[:4]
        if not files:
            pytest.skip("the real photos are not here")
        engine = started(imagga)
        for file in files:
            with file.open("rb") as stream, open_photo(stream, file.name) as photo:
                (first, *_) = said([one(engine, photo=photo)])[file.name]
                assert first.name == words_for(photo.jpeg(RENDITION))[0][1]


class TestSettings:
    @pytest.mark.parametrize(
        "url", ["https://api.imagga.com/v2/", "http://api.imagga.com/v2", "https://proxy.example/imagga/v2"]
    )
    def test_another_address_for_imagga_bills_nobody_again(self, imagga: Imagga, url: str) -> None:
        plain = build(imagga, api_url="https://api.imagga.com/v2")
        assert build(imagga, api_url=url).settings == plain.settings

    @pytest.mark.parametrize("change", [{"language": "de"}, {"tagger": "mine"}])
    def test_what_changes_the_answer_changes_the_settings(self, imagga: Imagga, change: dict[str, Any]) -> None:
        assert build(imagga, **change).settings != build(imagga).settings

    @pytest.mark.parametrize("change", [{"api_key": "other"}, {"concurrency": 7}, {"reserve": 5}])
    def test_what_does_not_change_the_answer_does_not(self, imagga: Imagga, change: dict[str, Any]) -> None:
        assert build(imagga, **change).settings == build(imagga).settings

    def test_the_order_of_languages_is_policy(self, imagga: Imagga) -> None:
        german, english = build(imagga, language="de,en"), build(imagga, language="EN, de, de")
        assert german.settings == english.settings

    def test_sends_names_the_host_alone(self, imagga: Imagga) -> None:
        sends = build(imagga, api_url="https://api.imagga.com/v2").sends
        assert sends == "sends 300 px copies without metadata to api.imagga.com"

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("api_url", "ftp://api.imagga.com"),
            ("api_url", "api.imagga.com"),
            ("api_url", f"https://{KEY}:x@api.imagga.com/v2"),
            ("api_url", "https://[::1/v2"),
            ("api_key", " "),
            ("api_secret", "two words"),
            ("language", "english!"),
            ("language", ","),
            ("tagger", "../usage"),
            ("reserve", -1),
        ],
    )
    def test_a_wrong_option_is_refused_by_name(self, imagga: Imagga, option: str, value: object) -> None:
        with pytest.raises(ValidationError) as caught:
            build(imagga, **named(option, value))
        (fault,) = caught.value.errors()
        assert fault["loc"] == (option,) and KEY not in str(caught.value)

    def test_the_defaults_give_a_photo_few_tags(self) -> None:
        policy = ImaggaOptions.model_validate({"api_key": "k", "api_secret": "s"}).policy()
        assert (policy.min_confidence, policy.max_tags, policy.languages) == (0.3, 8, ("en",))

    def test_english_stands_in_where_a_language_has_no_name(self) -> None:
        policy = ImaggaOptions.model_validate({"api_key": "k", "api_secret": "s", "language": "de"}).policy()
        assert policy.languages == ("de", "en")


class TestStart:
    def test_learns_what_is_left_and_how_many_at_once(self) -> None:
        with Imagga(limit=1000, processed=788, at_once=3) as imagga:
            engine = started(imagga, concurrency=8)
            quota = engine.quota()
        assert quota and (quota.used, quota.limit, quota.left) == (788, 1000, 212)
        assert (quota.until, engine.concurrency) == ("18 of Oct, 2030", 3)

    def test_one_at_a_time_where_the_usage_does_not_say(self, imagga: Imagga) -> None:
        imagga.allowed_at_once = None
        assert started(imagga, concurrency=8).concurrency == 1

    def test_the_setting_holds_where_the_account_allows_more(self, imagga: Imagga) -> None:
        imagga.allowed_at_once = 50
        assert started(imagga, concurrency=4).concurrency == 4

    def test_a_wrong_key_is_named_without_being_shown(self, imagga: Imagga) -> None:
        with pytest.raises(PluginDown, match="Imagga rejected the API key") as down:
            started(imagga, api_key="canary")
        assert not down.value.planned and "canary" not in str(down.value)
        assert imagga.counts == {"usage": 1}

    def test_an_unpaid_account_is_no_wrong_key(self, imagga: Imagga) -> None:
        imagga.fail("usage", Fault(status=402))
        with pytest.raises(PluginDown, match="Imagga asks for payment"):
            started(imagga)

    def test_a_redirect_is_not_followed(self, imagga: Imagga) -> None:
        imagga.fail("usage", Fault.redirect("http://169.254.169.254/latest?x=1"))
        with pytest.raises(PluginDown, match=r"Imagga at http\S+: unexpected redirect to 169\.254\.169\.254;"):
            started(imagga)

    @pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429), Fault(reset="after")])
    def test_one_that_was_closed_asks_no_more(self, imagga: Imagga, fault: Fault) -> None:
        imagga.fail("usage", fault, times=99)
        engine = build(imagga)
        engine.close()
        with pytest.raises(PluginDown):
            engine.start()
        assert imagga.counts["usage"] == 1

    def test_too_much_to_do_is_waited_out_five_times(self, imagga: Imagga) -> None:
        waits = Waits()
        imagga.fail("usage", Fault(status=429, headers={"Retry-After": "7"}), times=5)
        assert started(imagga, waits).quota() is not None and waits == [7] * 5

    @pytest.mark.parametrize("fault", [Fault(status=503), Fault(reset="before"), Fault(reset="after")])
    def test_a_short_trouble_is_waited_out(self, imagga: Imagga, fault: Fault) -> None:
        imagga.fail("usage", fault, times=3)
        assert started(imagga).quota() is not None

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=500),
            Fault.html(),
            Fault(body=b""),
            Fault(body=b'{"result": {}}'),
            Fault(body=b'{"result": {"monthly_limit": "x", "monthly_processed": -1}}'),
            Fault(body=b"[" * 100_000),
            Fault(cut=30),
        ],
    )
    def test_does_not_start_where_nobody_says_what_is_left(self, imagga: Imagga, fault: Fault) -> None:
        imagga.fail("usage", fault, times=99)
        with pytest.raises(PluginDown) as down:
            started(imagga)
        assert not down.value.planned and str(down.value).isprintable()

    def test_an_address_where_nobody_listens_is_tried_five_more_times(self, imagga: Imagga) -> None:
        waits = Waits()
        with pytest.raises(PluginDown, match="connection refused"):
            started(imagga, waits, api_url="http://127.0.0.1:9/v2")
        assert len(waits) == 5

    def test_check_says_what_is_wrong_in_one_finding(self, imagga: Imagga) -> None:
        (finding,) = build(imagga, api_secret="wrong").check()
        assert not finding.ok and "rejected the API key" in finding.text

    def test_check_says_what_is_left(self, imagga: Imagga) -> None:
        texts = [finding.text for finding in build(imagga, reserve=100).check()]
        assert texts == [
            "Imagga accepted the API key",
            "900 of 1000 left this month; starts anew after 18 of Oct, 2030",
        ]


class TestQuota:
    def test_stops_before_the_limit_with_many_threads(self) -> None:
        with Imagga(limit=20, processed=13, at_once=8) as imagga:
            outcomes = self._ask_side_by_side(started(imagga, concurrency=8), 30)
            assert imagga.counts["tags"] == 7 and imagga.damage == []
        assert sum(isinstance(outcome, Analysis) for outcome in outcomes) == 7
        down = next(outcome for outcome in outcomes if isinstance(outcome, PluginDown))
        assert down.planned and down.until == "18 of Oct, 2030"
        assert str(down) == "20 of 20 used; its photos wait until 18 of Oct, 2030"

    def test_a_reserve_is_left_untouched(self) -> None:
        with Imagga(limit=20, processed=13) as imagga:
            outcomes = self._ask_side_by_side(started(imagga, reserve=5), 5)
            assert imagga.counts["tags"] == 2
        down = next(outcome for outcome in outcomes if isinstance(outcome, PluginDown))
        assert down.planned and str(down).startswith("15 of 20 used, 5 kept in reserve;")

    def test_a_quota_used_up_at_the_start_is_a_planned_stop(self) -> None:
        with Imagga(limit=1000, processed=1000) as imagga:
            engine = started(imagga)
            quota = engine.quota()
            with pytest.raises(PluginDown, match="1000 of 1000 used") as down:
                one(engine)
            assert imagga.counts["tags"] == 0
        assert quota and quota.left == 0 and down.value.planned

    def test_a_quota_that_another_program_used_up_is_planned_too(self, imagga: Imagga) -> None:
        engine = started(imagga)
        imagga.processed = imagga.limit
        permit = FakePermit()
        with pytest.raises(PluginDown, match="1000 of 1000 used; its photos wait until 18 of Oct") as down:
            one(engine, permit)
        quota = engine.quota()
        assert down.value.planned and permit.outcomes == {Bill.FREE: 1} and quota and quota.left == 0

    def test_payment_required_is_planned(self, imagga: Imagga) -> None:
        imagga.fail("tags", Fault(status=402))
        with pytest.raises(PluginDown, match=r"payment \(402.*wait until 18 of Oct") as down:
            one(started(imagga))
        assert down.value.planned

    def test_a_refused_photo_does_not_count(self, imagga: Imagga) -> None:
        engine = started(imagga)
        imagga.fail("tags", Fault(status=415))
        one(engine)
        quota = engine.quota()
        assert quota and quota.used == 0

    def test_the_budget_stops_it_and_costs_no_quota(self, imagga: Imagga) -> None:
        engine = started(imagga)
        with pytest.raises(PluginDown, match="budget") as down:
            ask(engine, photos(3), FakePermit(budget=2))
        quota = engine.quota()
        assert down.value.planned and imagga.counts["tags"] == 2 and quota and quota.used == 2

    @staticmethod
    def _ask_side_by_side(engine: ImaggaEngine, number: int) -> Sequence[Outcome | PluginDown]:
        def go(photo: Photo) -> Outcome | PluginDown:
            try:
                return one(engine, photo=photo)
            except PluginDown as down:
                return down

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(go, photos(number, size=(320, 240))))
