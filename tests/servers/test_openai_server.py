"""The stand-in for servers that speak OpenAI's API is strict, and says what it was made to suffer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.pictures import exif, jpeg_bytes, segment, with_segments
from tests.servers.openai import KEY, MODEL, VisionServer, said_of

PICTURE = jpeg_bytes(1, size=(320, 240))
SCHEMA = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["tags"],
    "additionalProperties": False,
}


@pytest.fixture
def server() -> Iterator[VisionServer]:
    with VisionServer() as running:
        yield running


def strict(schema: object) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "photo", "strict": True, "schema": schema}}


def asked(picture: bytes = PICTURE, **changes: Any) -> dict[str, Any]:
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    content = [
        {"type": "text", "text": "JSON, please"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **changes}


def post(server: VisionServer, body: dict[str, Any], key: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=10)


def content(reply: requests.Response) -> Any:
    return json.loads(reply.json()["choices"][0]["message"]["content"])


def test_the_answer_depends_on_the_picture(server: VisionServer) -> None:
    first, again = (content(post(server, asked())) for _ in range(2))
    other = content(post(server, asked(jpeg_bytes(2, size=(320, 240)))))
    assert first == again == said_of(PICTURE) != other and len(server.answered) == 3


def test_an_unknown_parameter_is_refused(server: VisionServer) -> None:
    reply = post(server, asked(num_ctx=4096))
    assert reply.status_code == 400 and "num_ctx" in reply.json()["error"]["message"]


def test_another_model_is_not_there(server: VisionServer) -> None:
    reply = post(server, asked(model="llava"))
    assert reply.status_code == 404 and "llava" in reply.json()["error"]["message"]


def test_a_key_is_asked_for_where_there_is_one() -> None:
    with VisionServer(key=KEY) as server:
        statuses = [post(server, asked(), key).status_code for key in ("", "other", KEY)]
    assert statuses == [401, 401, 200]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"tags": {"type": "array"}}, "required": ["tags"]},
        {**SCHEMA, "required": []},
        {**SCHEMA, "minProperties": 1},
    ],
)
def test_a_schema_that_strict_mode_refuses_is_damage(server: VisionServer, schema: object) -> None:
    assert post(server, asked(response_format=strict(schema))).status_code == 400
    assert server.damage and post(server, asked(response_format=strict(SCHEMA))).status_code == 200


@pytest.mark.parametrize("kind", ["json_schema", "json_object"])
def test_a_format_that_it_does_not_know_is_refused(server: VisionServer, kind: str) -> None:
    server.formats, server.plain_errors = ("text",), True
    reply = post(server, asked(response_format={"type": kind}))
    assert reply.status_code == 400 and "response_format" in reply.json()["error"]


def test_the_other_limit_is_refused_by_name(server: VisionServer) -> None:
    server.limit = "max_completion_tokens"
    assert "max_completion_tokens" in post(server, asked(max_tokens=5)).text
    assert post(server, asked(max_completion_tokens=5)).status_code == 200


@pytest.mark.parametrize("picture", [b"", b"no picture", PICTURE[:200]])
def test_what_is_no_picture_is_refused(server: VisionServer, picture: bytes) -> None:
    assert post(server, asked(picture)).status_code == 400 and server.answered == []


def test_metadata_in_a_picture_is_damage(server: VisionServer) -> None:
    post(server, asked(with_segments(PICTURE, segment(0xE1, exif(camera=("Maker", "Model"))))))
    assert server.damage and "exif" in server.damage[0]


def test_two_tries_with_different_bytes_are_damage(server: VisionServer) -> None:
    body = asked()
    post(server, body)
    body["messages"][0]["content"][0]["text"] += "!"
    post(server, body)
    assert server.damage == ["two tries with different bytes"]


def test_a_wrong_address_is_damage(server: VisionServer) -> None:
    assert requests.get(f"{server.url}/models", timeout=10).status_code == 404
    assert server.damage == ["unknown address: GET /models"]
