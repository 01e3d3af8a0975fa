"""The openai engine against its stand-in: what it asks, what it says, how it starts, what it learns."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import exp
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from tests.engines.openai_bench import Waits, build, measures, names, of_kind, one, started
from tests.pictures import jpeg_bytes
from tests.servers.base import Fault
from tests.servers.openai import KEY, MODEL, VisionServer, said_of
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakePermit, FakePhoto, photos
from tigertag.engines.openai import OpenAIEngine, OpenAIOptions
from tigertag.engines.openai.answers import UNSAID
from tigertag.errors import PluginDown
from tigertag.media.photo import open_photo
from tigertag.model import Analysis, Kind

ORDER = ("json_schema", "json_object", "text")
FORMATS = (ORDER, ("json_schema", "text"), ("json_object", "text"), ("text",))


@pytest.fixture
def server() -> Iterator[VisionServer]:
    with VisionServer() as running:
        yield running
        assert running.damage == []


@pytest.fixture
def cloud() -> Iterator[VisionServer]:
    with VisionServer(key=KEY) as running:
        yield running
        assert running.damage == []


def body(server: VisionServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.of("chat")[-1].body)
    return found


def named(option: str, value: object) -> dict[str, Any]:
    return {option: value}


def words(server: VisionServer) -> str:
    return str(body(server)["messages"][0]["content"][0]["text"])


class TestLocal(EngineContract):
    @pytest.fixture
    def bench(self, server: VisionServer) -> Bench:
        return Bench(OpenAIEngine, server.options, extra={"sleep": Waits()})


class TestCloud(EngineContract):
    @pytest.fixture
    def bench(self, cloud: VisionServer) -> Bench:
        return Bench(
            OpenAIEngine,
            cloud.options,
            secrets=(KEY,),
            requests=lambda: cloud.counts["chat"],
            extra={"sleep": Waits()},
        )


class TestAsking:
    def test_a_photo_is_one_request_with_a_small_plain_picture(self, server: VisionServer) -> None:
        file = io.BytesIO(jpeg_bytes(1, size=(1600, 1200), camera=("Maker", "Model"), gps=(48.1, 11.5)))
        with open_photo(file, "a.jpg") as photo:
            outcome = one(started(server), photo=photo)
        assert isinstance(outcome, Analysis) and server.counts["chat"] == 1
        url = body(server)["messages"][0]["content"][1]["image_url"]["url"]
        picture = b64decode(url.partition(",")[2])
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as sent:
            assert (sent.size, dict(sent.getexif())) == ((768, 576), {})

    def test_asks_for_json_of_one_shape_and_nothing_by_chance(self, server: VisionServer) -> None:
        one(started(server))
        asked = body(server)
        assert asked["response_format"]["type"] == "json_schema"
        assert (asked["temperature"], asked["stream"], asked["max_tokens"]) == (0, False, 600)

    def test_the_language_is_asked_for_by_its_name(self, server: VisionServer) -> None:
        outcome = one(started(server, language="de"))
        assert "in German" in words(server) and "{language}" not in words(server)
        assert {tag.language for tag in of_kind(outcome, Kind.TAG)} == {"de"}

    def test_a_prompt_of_ones_own_takes_the_place_of_ours(self, server: VisionServer, tmp_path: Path) -> None:
        (tmp_path / "birds.txt").write_text("Name the birds, in {language}.\n", encoding="utf-8")
        one(started(server, prompt_file=tmp_path / "birds.txt"))
        assert words(server).startswith("Name the birds, in English.\n\nAnswer with one JSON object")

    def test_no_key_is_sent_where_there_is_none(self, server: VisionServer) -> None:
        one(started(server))
        assert "authorization" not in server.requests[-1].headers

    def test_answers_stay_with_their_photos_under_concurrency(self, server: VisionServer) -> None:
        engine, shown = started(server, concurrency=8), photos(16, size=(320, 240))
        with ThreadPoolExecutor(8) as pool:
            outcomes = [outcome for answer in pool.map(lambda p: ask(engine, [p]), shown) for outcome in answer]
        answers = said(outcomes)
        for photo in shown:
            true = [tag["name"] for tag in said_of(photo.jpeg(engine.renditions[0]))["tags"]]
            assert [tag.name for tag in answers[photo.name] if tag.kind is Kind.TAG] == true


class TestSaying:
    def test_tags_come_with_their_confidence_and_a_caption(self, server: VisionServer) -> None:
        (photo,) = photos(1)
        engine = started(server)
        outcome = one(engine, photo=photo)
        true = said_of(photo.jpeg(engine.renditions[0]))
        assert [(tag.name, tag.confidence) for tag in of_kind(outcome, Kind.TAG)] == [
            (tag["name"], tag["confidence"]) for tag in true["tags"]
        ]
        (caption,) = of_kind(outcome, Kind.TEXT)
        assert (caption.name, caption.value, caption.language) == ("caption", true["caption"], "en")

    def test_a_tag_without_confidence_gets_the_documented_one(self, server: VisionServer) -> None:
        server.says = lambda _: {"tags": ["dog", {"name": "beach"}], "caption": ""}
        outcome = one(started(server))
        assert [tag.confidence for tag in of_kind(outcome, Kind.TAG)] == [UNSAID, UNSAID]
        assert of_kind(outcome, Kind.TEXT) == []

    def test_percents_are_understood(self, server: VisionServer) -> None:
        server.says = lambda _: {"tags": [{"name": "dog", "confidence": 95}, {"name": "sea", "confidence": 1}]}
        outcome = one(started(server))
        assert [tag.confidence for tag in of_kind(outcome, Kind.TAG)] == [0.95, 0.01]

    def test_the_model_s_probabilities_can_stand_for_its_word(self, server: VisionServer) -> None:
        outcome = one(started(server, logprobs=True))
        assert [tag.confidence for tag in of_kind(outcome, Kind.TAG)] == pytest.approx([exp(-0.1)] * 6)
        assert "confidence" not in words(server)

    def test_a_probability_that_is_no_number_says_nothing(self, server: VisionServer) -> None:
        server.logprob = float("nan")
        outcome = one(started(server, logprobs=True))
        assert {tag.confidence for tag in of_kind(outcome, Kind.TAG)} == {UNSAID}

    def test_tokens_and_cost_are_measures(self, server: VisionServer) -> None:
        plain = one(started(server))
        assert measures(plain) == {"prompt tokens": 800, "completion tokens": 60}
        priced = one(started(server, cost_per_1k_input_tokens=0.15, cost_per_1k_output_tokens=0.6))
        assert measures(priced)["cost"] == pytest.approx(0.156)

    @pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many", "completion_tokens": -1}])
    def test_no_tokens_are_told_where_the_server_does_not_tell(
        self, server: VisionServer, usage: dict[str, object] | None
    ) -> None:
        server.usage = usage
        assert measures(one(started(server, cost_per_1k_input_tokens=1))) == {}

    def test_the_log_says_how_many_tokens_it_was(
        self, server: VisionServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = started(server)
        ask(engine, photos(2))
        with caplog.at_level(logging.INFO):
            engine.close()
        assert "1,600 tokens sent, 120 answered" in caplog.text

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("```json\n", "\n```"),
            ("Here is the JSON you asked for:\n\n", "\n\nLet me know {if} you need more!"),
            ('<think>A {dog}? {"tags": []}</think>', ""),
            ('{"photo": ', "}"),
            ("\ufeff  ", "  "),
        ],
    )
    def test_what_models_put_around_their_json_does_no_harm(
        self, server: VisionServer, before: str, after: str
    ) -> None:
        server.formats, server.wrap = ("text",), lambda text: before + text + after
        assert len(names(one(started(server)))) == 6

    def test_a_text_in_parts_is_put_together(self, server: VisionServer) -> None:
        parts = [{"type": "text", "text": '{"tags": ["do'}, {"type": "text", "text": 'g"]}'}]
        answer = {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
        server.fail("chat", Fault(body=json.dumps(answer).encode()))
        assert names(one(started(server))) == ["dog"]


class TestLearning:
    @pytest.mark.parametrize("formats", FORMATS)
    @pytest.mark.parametrize("plain", [False, True])
    def test_a_format_that_is_refused_is_not_asked_for_again(
        self, server: VisionServer, formats: tuple[str, ...], plain: bool
    ) -> None:
        server.formats, server.plain_errors = formats, plain
        engine = started(server)
        assert all(isinstance(outcome, Analysis) for outcome in ask(engine, photos(3)))
        kinds = [json.loads(request.body).get("response_format", {}) for request in server.of("chat")]
        refused = [
            kind for kind in ORDER if kind not in formats and ORDER.index(kind) < ORDER.index(formats[0])
        ]
        assert [kind.get("type", "text") for kind in kinds] == [*refused, *[formats[0]] * 3]

    def test_newer_names_are_learnt(self, server: VisionServer) -> None:
        server.limit, server.takes_temperature, server.gives_logprobs = "max_completion_tokens", False, False
        engine = started(server, logprobs=True)
        assert all(isinstance(outcome, Analysis) for outcome in ask(engine, photos(3)))
        asked = body(server)
        assert asked["max_completion_tokens"] == 600 and server.counts["chat"] == 6
        assert not {"max_tokens", "temperature", "logprobs"} & asked.keys()
        assert "confidence" in words(server)

    def test_what_is_learnt_is_no_bill(self, cloud: VisionServer) -> None:
        cloud.takes_temperature = False
        permit = FakePermit()
        ask(started(cloud), photos(2), permit)
        assert {outcome.value: number for outcome, number in permit.outcomes.items()} == {
            "free": 1,
            "billed": 2,
        }

    def test_many_threads_learn_once(self, server: VisionServer) -> None:
        server.formats = ("text",)
        engine = started(server, concurrency=4)
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda photo: one(engine, photo=photo), photos(8)))
        assert all(isinstance(outcome, Analysis) for outcome in outcomes)
        assert server.counts["chat"] <= 8 + 2 * 4


class TestSettings:
    @pytest.mark.parametrize(
        "change", [{"model": "llava"}, {"language": "de"}, {"long_side": 512}, {"logprobs": True}]
    )
    def test_what_changes_the_answer_changes_the_settings(
        self, server: VisionServer, change: dict[str, Any]
    ) -> None:
        assert build(server, **change).settings != build(server).settings

    @pytest.mark.parametrize(
        "change",
        [
            {"api_key": "other"},
            {"api_url": "https://elsewhere.example/v1"},
            {"concurrency": 7},
            {"billed": True},
            {"cost_per_1k_input_tokens": 1},
            {"timeout": 60},
            {"max_tokens": 2000},
        ],
    )
    def test_what_does_not_change_the_answer_does_not(
        self, server: VisionServer, change: dict[str, Any]
    ) -> None:
        assert build(server, **change).settings == build(server).settings

    def test_another_prompt_is_another_revision(self, server: VisionServer, tmp_path: Path) -> None:
        (tmp_path / "one.txt").write_text("birds")
        (tmp_path / "same.txt").write_text("birds\n")
        (tmp_path / "two.txt").write_text("cars")
        first, same, other = (
            build(server, prompt_file=tmp_path / f"{name}.txt").settings for name in ("one", "same", "two")
        )
        assert first == same != other and "birds" not in str(first)

    @pytest.mark.parametrize(
        ("given", "billed"),
        [
            ({}, False),
            ({"api_key": "k"}, True),
            ({"api_key": "k", "billed": False}, False),
            ({"billed": True}, True),
        ],
    )
    def test_it_is_billed_where_there_is_a_key_or_one_says_so(
        self, server: VisionServer, given: dict[str, Any], billed: bool
    ) -> None:
        assert build(server, **given).billed is billed

    def test_sends_names_the_host_alone(self, server: VisionServer) -> None:
        sends = build(server, api_url="https://api.example.com/v1").sends
        assert sends == "sends 768 px copies without metadata to api.example.com"

    def test_the_address_may_be_that_of_the_endpoint(self, server: VisionServer) -> None:
        assert isinstance(one(started(server, api_url=f"{server.url}/v1/chat/completions/")), Analysis)

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("api_url", "localhost:11434"),
            ("api_url", f"https://{KEY.replace('/', '')}:x@host/v1"),
            ("api_url", "http://host/v1?key=x"),
            ("api_key", "two words"),
            ("model", " "),
            ("language", "in German"),
            ("prompt_file", "/nowhere/prompt.txt"),
            ("long_side", 100),
            ("timeout", 0),
            ("cost_per_1k_output_tokens", -1),
        ],
    )
    def test_a_wrong_option_is_refused_by_name(self, server: VisionServer, option: str, value: object) -> None:
        with pytest.raises(ValidationError) as caught:
            build(server, **named(option, value))
        (fault,) = caught.value.errors()
        assert fault["loc"] == (option,) and KEY not in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\xfa", b"x" * 20_001])
    def test_a_prompt_that_is_none_is_refused(
        self, server: VisionServer, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "prompt.txt").write_bytes(content)
        with pytest.raises(ValidationError, match="prompt_file"):
            build(server, prompt_file=tmp_path / "prompt.txt")

    def test_the_defaults_give_a_photo_few_tags(self) -> None:
        policy = OpenAIOptions.model_validate({"model": MODEL}).policy()
        assert (policy.min_confidence, policy.max_tags) == (0.5, 8)


class TestStart:
    def test_a_server_that_loads_its_model_is_waited_for(self, server: VisionServer) -> None:
        loading = b'{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}'
        waits = Waits()
        server.fail("models", Fault(status=503, body=loading), times=4)
        assert isinstance(one(started(server, waits)), Analysis) and len(waits) == 4

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_a_server_that_lists_no_models_may_be_a_good_one(self, server: VisionServer, status: int) -> None:
        server.fail("models", Fault(status=status), times=9)
        assert isinstance(one(started(server)), Analysis)
        assert [finding.ok for finding in build(server).check()] == [True]

    def test_a_page_is_no_server(self, server: VisionServer) -> None:
        server.fail("models", Fault(body=b"<html>Welcome</html>"))
        with pytest.raises(PluginDown, match=r"no server with models \(HTML instead of JSON\); check api_url"):
            started(server)

    def test_nobody_listens(self, server: VisionServer) -> None:
        waits = Waits()
        with pytest.raises(PluginDown, match=r"Cannot reach gemma3:4b at http.*is the server running"):
            started(server, waits, api_url="http://127.0.0.1:9/v1")
        assert len(waits) == 5

    def test_a_wrong_key_is_named_without_being_shown(self, cloud: VisionServer) -> None:
        with pytest.raises(PluginDown, match="rejected the API key") as down:
            started(cloud, api_key="canary")
        assert "canary" not in str(down.value) and not down.value.planned

    def test_a_missing_key_is_asked_for(self, cloud: VisionServer) -> None:
        with pytest.raises(PluginDown, match=r"wants an API key .* set api_key"):
            started(cloud, api_key=None)

    def test_one_that_does_not_answer_is_asked_once_more(self, server: VisionServer) -> None:
        """Each try may take minutes: eleven would be an hour (E10)."""
        server.fail("models", Fault(hang=True), times=99)
        with pytest.raises(PluginDown, match="timed out"):
            started(server, timeout=0.2)
        assert server.counts["models"] == 2

    def test_a_redirect_takes_no_key_along(self, cloud: VisionServer) -> None:
        with VisionServer() as elsewhere:
            cloud.fail("models", Fault.redirect(f"{elsewhere.url}/v1/models"))
            with pytest.raises(PluginDown, match=r"unexpected redirect to 127\.0\.0\.1"):
                started(cloud)
            assert elsewhere.requests == []


class TestCheck:
    def test_says_that_the_model_is_there_and_what_it_costs(self, server: VisionServer) -> None:
        (local,) = build(server).check()
        assert local.ok and local.text == f"gemma3:4b at {server.url} is there; its answers cost nothing"
        (billed,) = build(server, billed=True).check()
        assert billed.text.endswith("its answers are billed") and server.counts["chat"] == 0

    def test_names_the_models_there_are(self, server: VisionServer) -> None:
        (finding,) = build(server, model="llava").check()
        assert not finding.ok and "no model llava; it has gemma3:4b" in finding.text
        assert "ollama pull llava" in finding.advice

    def test_latest_goes_without_saying(self, server: VisionServer) -> None:
        server.listed = ({"id": "llava:latest"},)
        assert [finding.ok for finding in build(server, model="llava").check()] == [True]

    def test_llama_cpp_takes_any_name(self, server: VisionServer) -> None:
        server.listed = ({"id": "/models/x.gguf", "owned_by": "llamacpp"},)
        assert [finding.ok for finding in build(server).check()] == [True]

    def test_says_what_is_wrong(self, cloud: VisionServer) -> None:
        (finding,) = build(cloud, api_key="wrong").check()
        assert not finding.ok and "rejected the API key" in finding.text


def test_a_small_picture_is_not_enlarged(server: VisionServer) -> None:
    small = FakePhoto(jpeg_bytes(1, size=(300, 200)))
    one(started(server), photo=small)
    url = body(server)["messages"][0]["content"][1]["image_url"]["url"]
    with Image.open(io.BytesIO(b64decode(url.partition(",")[2])), formats=("JPEG",)) as sent:
        assert sent.size == (300, 200)
