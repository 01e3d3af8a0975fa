"""What is sent and what is read, and what is never shown."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.http.echo import Echo, http
from tests.servers.base import Fault, Request
from tests.servers.forms import parts
from tigertag.http import (
    Backoff,
    BadReply,
    Reply,
    WireError,
    is_deep,
    multipart,
    retry_after,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class TestAnswers:
    def test_a_request_gets_its_answer(self, echo: Echo) -> None:
        reply = http(f"{echo.url}/v2/").call("POST", "/a", params={"q": "x y&z"}, body=b"12345")
        assert reply.status == 200 and reply.headers["content-TYPE"] == "application/json"
        assert reply.json() == {"method": "POST", "query": {"q": ["x y&z"]}, "size": 5}
        assert echo.requests[0].path == "/v2/a"

    def test_a_refusal_is_an_answer_too(self, echo: Echo) -> None:
        echo.fail("/a", Fault.html(503))
        reply = http(echo.url).call("GET", "/a")
        assert reply.status == 503
        with pytest.raises(BadReply, match=r"Echo's answer could not be read \(HTML instead of JSON\)"):
            reply.json()

    def test_connections_are_kept(self, echo: Echo) -> None:
        session = http(echo.url)
        for _ in range(5):
            session.call("GET", "/a")
        assert echo.connections == 1

    def test_a_server_that_hung_up_in_between_is_called_again(self, echo: Echo) -> None:
        session = http(echo.url)
        session.call("GET", "/a")
        echo.hang_up()
        assert session.call("GET", "/a").status == 200

    def test_many_threads_get_their_own_answers(self, echo: Echo) -> None:
        session, seen = http(echo.url), dict[int, object]()

        def ask(number: int) -> None:
            seen[number] = session.call("GET", "/a", params={"n": number}).json()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(
            answer == {"method": "GET", "query": {"n": [str(n)]}, "size": 0} for n, answer in seen.items()
        )

    @pytest.mark.parametrize("path", ["/faces/..", "/faces/./a", "/faces/%2e%2E", "/.."])
    def test_a_path_that_would_mean_another_is_refused(self, echo: Echo, path: str) -> None:
        with pytest.raises(ValueError, match="dot segment"):
            http(echo.url).call("DELETE", path)
        assert echo.requests == []

    def test_an_early_refusal_of_a_large_upload_is_read(self, echo: Echo) -> None:
        echo.fail("/a", Fault(status=413))
        assert http(echo.url).call("POST", "/a", body=bytes(1 << 20)).status == 413


class TestJson:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"<!doctype html><p>", "HTML"),
            (b'{"a": 1', "not JSON"),
            (b'"\xff"', "not UTF-8"),
            (b"[" * 200_000, "nested too deeply"),
            (b"9" * 5000, "not JSON"),
        ],
    )
    def test_what_is_no_json_says_why(self, body: bytes, why: str) -> None:
        with pytest.raises(BadReply, match=why) as caught:
            Reply("Echo", 200, {}, body).json()
        assert (caught.value.status, caught.value.body) == (200, body)

    def test_numbers_that_are_none_read_as_null(self) -> None:
        reply = Reply("Echo", 200, {}, b"\xef\xbb\xbf[NaN, Infinity, -Infinity, 1e999, 1.5, 7]")
        assert reply.json() == [None, None, None, None, 1.5, 7]


class TestCredentials:
    def test_they_are_sent_in_any_alphabet(self, echo: Echo) -> None:
        http(echo.url, auth=("üser", "p:ä/ss"), headers={"x-api-key": "schlüssel"}).call("GET", "/a")
        basic = base64.b64encode("üser:p:ä/ss".encode()).decode()
        assert echo.requests[0].headers["authorization"] == f"Basic {basic}"
        assert echo.requests[0].headers["x-api-key"].encode("latin-1").decode() == "schlüssel"

    def test_netrc_is_not_asked(self, echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        http(echo.url).call("GET", "/a")
        assert "authorization" not in echo.requests[0].headers

    def test_cookies_are_not_kept(self, echo: Echo) -> None:
        session = http(echo.url)
        echo.fail("/a", Fault(body=b"{}", headers={"Set-Cookie": "id=1; Path=/"}))
        session.call("GET", "/a")
        session.call("GET", "/a")
        assert "cookie" not in echo.requests[1].headers

    @pytest.mark.parametrize(
        "spelling",
        [
            'p"a/s s+é',
            "p%22a%2Fs%20s%2B%C3%A9",
            "p%22a/s%20s%2B%c3%a9",
            "p%22a%2Fs+s%2B%C3%A9",
            base64.b64encode('p"a/s s+é'.encode()).decode(),
            base64.b64encode('user1:p"a/s s+é'.encode()).decode(),
            json.dumps('p"a/s s+é'),
            json.dumps('p"a/s s+é', ensure_ascii=False),
            'p\\"a\\/s s+\\u00e9',
            "p&quot;a/s s+é",
            "p%2522a%252Fs%2520s%252B%25C3%25A9",
        ],
    )
    def test_a_secret_is_hidden_however_it_is_spelled(self, spelling: str) -> None:
        session = http("http://127.0.0.1:9", auth=("user1", 'p"a/s s+é'))
        hidden = session.redact(f"before {spelling} after")
        assert hidden.replace('"', "").replace("=", "") == "before *** after"

    @pytest.mark.parametrize("before", range(6))
    def test_a_secret_is_hidden_within_a_longer_text_in_base64(self, before: int) -> None:
        session = http("http://127.0.0.1:9", secrets=["p4ss/w0rd+"])
        encoded = base64.b64encode(b"x" * before + b"p4ss/w0rd+" + b"and more").decode()
        kept = session.redact(encoded).split("***")
        assert len(kept) == 2 and sum(map(len, kept)) <= len(encoded) - 12

    def test_without_secrets_nothing_is_hidden(self) -> None:
        assert http("http://127.0.0.1:9", secrets=["", "x1"]).redact("a x1 b") == "a *** b"
        assert http("http://127.0.0.1:9").redact("as it is") == "as it is"

    def test_what_is_kept_is_short_and_hidden(self) -> None:
        kept = http("http://127.0.0.1:9", secrets=["canary"]).kept(b"canary\x00\xff" + "é".encode() * 100_000)
        assert kept.startswith("***��é") and len(kept.encode()) <= 64 << 10


class TestTries:
    def test_equal_forms_have_equal_bytes_and_can_be_read(self) -> None:
        first, second = (multipart("image", 'a"\r\nb.jpg', b"\r\n--x\r\n", "image/jpeg") for _ in range(2))
        assert first == second
        request = Request("", "POST", "/", "/", {}, {"content-type": first[1]}, first[0])
        (part,) = parts(request)
        assert (part.name, part.content_type, part.content) == ("image", "image/jpeg", b"\r\n--x\r\n")

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (None, None),
            ("", None),
            ("soon", None),
            ("nan", None),
            ("12", 12),
            (" 1.5 ", 1.5),
            ("-4", 0),
            ("301", 300),
            ("9" * 5000, 300),
            (format_datetime(NOW + timedelta(seconds=42)), 42),
            (format_datetime(NOW - timedelta(days=1)), 0),
            (format_datetime(NOW + timedelta(days=3650)), 300),
            ("Tue, 99 Jan 99999 00:00:00 GMT", None),
        ],
    )
    def test_retry_after(self, value: str | None, seconds: float | None) -> None:
        assert retry_after(value, NOW) == seconds

    def test_back_off_doubles_up_to_its_longest_with_jitter(self) -> None:
        waits: list[float] = []
        backoff = Backoff(tries=5, first=1, longest=4, sleep=waits.append, uniform=lambda _, most: most / 2)
        assert [backoff.wait() for _ in range(6)] == [True] * 5 + [False]
        assert waits == [0.5, 1, 2, 2, 2]

    def test_back_off_does_as_it_is_asked_and_ends_with_its_total(self) -> None:
        waits: list[float] = []
        backoff = Backoff(tries=9, total=10, sleep=waits.append, uniform=lambda _, most: most)
        assert [backoff.wait(6), backoff.wait(0), backoff.wait(6)] == [True, True, False]
        assert waits == [6, 0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Echo's answer could not be read (over 64 KiB)", "over 64 KiB"),
        ("the model gave no JSON with tags", "the model gave no JSON with tags"),
        ("it (the model) said nothing", "it (the model) said nothing"),
    ],
)
def test_an_error_tells_its_reason_alone(said: str, why: str) -> None:
    assert WireError(said).why == why


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ("[" * 101, True),
        ("[" * 100 + "]" * 100, False),
        ("[" + "{}," * 5_000 + "{}]", False),
        ('["' + "[" * 500 + '"]', False),
        ('["\\"", ' + "[" * 101, True),
    ],
    ids=["too deep", "deep", "wide", "in a string", "behind a quote"],
)
def test_depth_is_counted_where_brackets_mean_something(text: str, deep: bool) -> None:
    assert is_deep(text) is deep
