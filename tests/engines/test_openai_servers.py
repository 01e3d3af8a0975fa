"""The habits of real servers, as their documentation and their users describe them: none costs a photo."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.engines.openai_bench import Waits, measures, names, one, started
from tests.servers.base import Fault
from tests.servers.openai import KEY, VisionServer
from tigertag.contract.engine import ask
from tigertag.contract.stand_ins import FakePermit, photos
from tigertag.engines.openai.complaints import complaint_of
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.model import Analysis
from tigertag.model import Outcome as Bill

SAID = '{"tags": [{"name": "dog", "confidence": 0.9}], "caption": "A dog."}'
DRAFT = '{"tags": [{"name": "cat", "confidence": 0.9}], "caption": "A cat?"}'


@pytest.fixture
def server() -> Iterator[VisionServer]:
    with VisionServer(key=KEY) as running:
        yield running
        assert running.damage == []


def chat(message: dict[str, object], **more: object) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", **more}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


def refusal(status: int, body: object) -> Fault:
    return Fault(status=status, body=json.dumps(body).encode())


def openai_error(text: str, code: object = None) -> dict[str, object]:
    return {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": code}}


# ── where the answer stands ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "message",
    [
        {"content": SAID},
        {"content": f"```json\n{SAID}\n```"},
        {"content": f"Here it is:\n```\n{SAID}\n```\nAnything else?"},
        {"content": [{"type": "text", "text": SAID}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]}, {"text": SAID}]},
        {"content": f"<think>Perhaps {DRAFT}</think>\n{SAID}"},
        {"content": f"It is a cat: {DRAFT} No, wait.</think>\n\n{SAID}"},
        {"content": f"◁think▷{DRAFT}◁/think▷{SAID}"},
        {"content": f"[THINK]{DRAFT}[/THINK]{SAID}"},
        {"content": f"<think>{DRAFT}</think><answer><|begin_of_box|>{SAID}<|end_of_box|></answer>"},
        {"content": SAID, "reasoning_content": DRAFT},
        {"content": SAID, "refusal": None, "tool_calls": None},
        {"content": "", "reasoning_content": SAID},
        {"content": None, "reasoning": f"```json\n{SAID}\n```"},
        {"content": '{"photo": ' + SAID + "}"},
    ],
)
def test_the_answer_is_found_wherever_a_server_puts_it(
    server: VisionServer, message: dict[str, object]
) -> None:
    server.fail("chat", Fault(body=chat(message)))
    outcome = one(started(server))
    assert names(outcome) == ["dog"]
    assert measures(outcome) == {}, "a server that tells no usage costs nothing that is known"


def test_thoughts_are_no_answer(server: VisionServer) -> None:
    server.fail("chat", Fault(body=chat({"content": "", "reasoning_content": f"Maybe {DRAFT}, or not."})))
    outcome = one(started(server))
    assert isinstance(outcome, PhotoError) and "the model said nothing" in str(outcome)


@pytest.mark.parametrize("message", [{"content": ""}, {"content": "", "reasoning_content": "I see a"}])
def test_a_model_that_thought_too_long_says_what_to_raise(
    server: VisionServer, message: dict[str, object]
) -> None:
    server.fail("chat", Fault(body=chat(message, finish_reason="length")))
    outcome = one(started(server))
    assert isinstance(outcome, PhotoError) and "raise max_tokens" in str(outcome)


# ── how a request is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "'response_format.type' must be 'json_object' or 'text'"}),
        (400, openai_error("This model does not support response format `json_schema`.")),
        (400, openai_error('Either "json_schema" or "grammar" can be specified, but not both', 400)),
        (400, {"object": "error", "message": "xgrammar cannot take this schema", "code": 400}),
        (400, [{"error": {"code": 400, "message": "Invalid JSON payload: json_schema", "status": "INVALID"}}]),
        (422, {"detail": [{"loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}]}),
        (
            422,
            {
                "object": "error",
                "message": {
                    "detail": [{"loc": ["body", "response_format", "type"], "msg": "unexpected value"}]
                },
                "type": "invalid_request_error",
            },
        ),
        (500, {"error": {"code": 500, "message": "failed to parse grammar", "type": "server_error"}}),
    ],
)
def test_a_schema_refused_in_any_words_is_left_out(server: VisionServer, status: int, body: object) -> None:
    server.fail("chat", refusal(status, body))
    permit = FakePermit()
    outcomes = ask(started(server), photos(2), permit)
    assert all(isinstance(outcome, Analysis) for outcome in outcomes)
    asked = [json.loads(request.body)["response_format"]["type"] for request in server.of("chat")]
    assert asked == ["json_schema", "json_object", "json_object"]
    assert permit.outcomes == {Bill.FREE: 1, Bill.BILLED: 2}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it"),
        (500, "Context size has been exceeded."),
        (400, "This model's maximum context length is 4096 tokens. However, you requested 4400 tokens."),
        (400, "'max_tokens' or 'max_completion_tokens' is too large: 600. Its maximum context length is 512."),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
        (
            400,
            "The number of tokens to keep from the initial prompt is greater than the context length.",
        ),
    ],
)
def test_a_context_that_is_too_small_is_said_once(server: VisionServer, status: int, text: str) -> None:
    server.fail("chat", refusal(status, openai_error(text)), times=9)
    engine, permit = started(server), FakePermit()
    for _ in range(2):
        with pytest.raises(PluginDown, match=r"no room for a photo.*longer context.*long_side \(768\)"):
            one(engine, permit)
    assert server.counts["chat"] == 1 and permit.outcomes == {Bill.FREE: 1}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, openai_error("failed to process inputs: this model is missing data required for image input")),
        (404, {"error": {"message": "No endpoints found that support image input", "code": 404}}),
        (400, {"object": "error", "message": "At most 0 image(s) may be provided in one prompt.", "code": 400}),
        (400, {"error": "Vision add-on is not loaded, but images were provided for processing"}),
        (400, openai_error("Invalid content type. image_url is only supported by certain models.")),
        (400, openai_error("messages[0].content must be a string")),
        (
            422,
            {"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "Input should be a valid string"}]},
        ),
        (400, openai_error("messages[0]: unknown variant `image_url`, expected `text`")),
        (400, {"message": "Unsupported content part type for text-only server: image_url", "type": "x"}),
    ],
)
def test_a_server_that_takes_no_pictures_is_said_once(server: VisionServer, status: int, body: object) -> None:
    server.fail("chat", refusal(status, body), times=9)
    engine, permit = started(server), FakePermit()
    for _ in range(2):
        with pytest.raises(PluginDown, match="gemma3:4b sees no pictures"):
            one(engine, permit)
    assert server.counts["chat"] == 1 and permit.outcomes == {Bill.FREE: 1}


def test_a_model_called_vision_is_not_blind_for_its_name(server: VisionServer) -> None:
    server.model = "llama3.2-vision"
    server.listed = ({"id": server.model},)
    server.fail("chat", refusal(400, openai_error("llama3.2-vision does not support 'seed'")))
    outcome = one(started(server, model=server.model))
    assert isinstance(outcome, PhotoError)


@pytest.mark.parametrize(
    "body",
    [
        openai_error("No models loaded. Please load a model in the developer page."),
        openai_error('Failed to load model "gemma3:4b". Error: insufficient memory', "model_not_found"),
        openai_error("gemma3:4b is not a valid model ID", 400),
        {"object": "error", "message": "Invalid model: gemma3:4b", "type": "invalid_model", "code": "1500"},
        {"error": "could not find real modelID for gemma3:4b"},
    ],
)
def test_a_model_that_is_not_there_is_no_fault_of_the_photo(server: VisionServer, body: object) -> None:
    server.fail("chat", refusal(400, body), times=9)
    with pytest.raises(PluginDown, match=r"has no model gemma3:4b .*check model"):
        one(started(server))
    assert server.counts["chat"] == 1


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("text", ["Model unloaded.", "The model has crashed without additional information."])
def test_a_model_that_went_while_it_was_asked_is_asked_again(
    server: VisionServer, status: int, text: str
) -> None:
    waits = Waits()
    server.fail("chat", refusal(status, {"error": text}))
    assert isinstance(one(started(server, waits)), Analysis) and len(waits) == 1
    server.fail("chat", refusal(status, {"error": text}), times=99)
    assert isinstance(one(started(server)), TransientError)


def test_a_path_that_lm_studio_does_not_know_is_a_wrong_address(server: VisionServer) -> None:
    body = {"error": "Unexpected endpoint or method. (POST /chat/completions)"}
    server.fail("chat", refusal(200, body), times=9)
    permit = FakePermit()
    with pytest.raises(PluginDown, match=r"does not know /chat/completions .*ends in /v1"):
        one(started(server), permit)
    assert permit.outcomes == {Bill.FREE: 1}


# ── errors behind a good status ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [429, 502, 503])
def test_an_error_that_passes_is_waited_for_though_the_status_is_good(server: VisionServer, code: int) -> None:
    waits = Waits()
    server.fail("chat", refusal(200, {"error": {"code": code, "message": "Provider returned error"}}))
    assert isinstance(one(started(server, waits)), Analysis) and len(waits) == 1


def test_an_error_in_the_choice_is_an_error(server: VisionServer) -> None:
    failed = {"finish_reason": "error", "error": {"code": 502, "message": "upstream went away"}}
    server.fail("chat", Fault(body=chat({"content": ""}, **failed)), times=99)
    outcome = one(started(server))
    assert isinstance(outcome, TransientError) and "upstream went away" in str(outcome)


def test_a_photo_that_a_moderator_flags_stops_no_other(server: VisionServer) -> None:
    text = 'Your chosen model requires moderation and your input was flagged for "violence"'
    server.fail("chat", refusal(403, {"error": {"code": 403, "message": text, "metadata": {}}}))
    first, second = ask(started(server), photos(2), FakePermit())
    assert isinstance(first, PhotoError) and "was flagged" in str(first)
    assert isinstance(second, Analysis)


@pytest.mark.parametrize("status", [400, 413])
def test_a_photo_that_is_refused_for_its_size_stops_no_other(server: VisionServer, status: int) -> None:
    server.fail("chat", refusal(status, openai_error("image exceeds 4 MB maximum", "image_too_large")))
    first, second = ask(started(server), photos(2), FakePermit())
    assert isinstance(first, PhotoError) and isinstance(second, Analysis)


# ── shapes ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": "plain"}, "plain"),
        ({"error": {"message": "nested"}}, "nested"),
        ({"error": True, "message": "beside"}, "beside"),
        ({"message": "alone"}, "alone"),
        ({"detail": "Not Found"}, "Not Found"),
        (
            {"detail": [{"msg": "field required", "loc": []}, {"msg": "too long", "loc": ["a", 0]}]},
            "a.0: too long",
        ),
        ({"detail": [1, None, {"msg": 5}]}, ""),
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": {"message": {"detail": "deep"}}}, "deep"),
        ({"error": {"message": None, "code": True}}, ""),
        ({"error": {"message": ["x"], "code": 10**30}}, ""),
    ],
)
def test_the_words_of_a_refusal_are_found(body: object, text: str) -> None:
    found = complaint_of(body)  # type: ignore[arg-type]
    assert found is not None and found.text.endswith(text) and found.number == 0


@pytest.mark.parametrize(
    "body", [None, [], [[]], "text", 5, {}, {"error": None}, {"choices": [], "message": "x"}]
)
def test_what_complains_of_nothing_is_no_refusal(body: object) -> None:
    assert complaint_of(body) is None  # type: ignore[arg-type]
