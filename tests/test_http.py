"""The HTTP seam against a server that misbehaves: what was sent, what was lost, what is never shown."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.servers.base import Answer, Fault, Request, Service, parts
from tigertag.http import (
    AnswerLost,
    Backoff,
    BadReply,
    CertificateInvalid,
    Http,
    NotSent,
    Redirected,
    Reply,
    WireError,
    is_deep,
    multipart,
    retry_after,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Echo(Service):
    """Answers what it was asked."""

    def kind(self, method: str, path: str) -> str:
        return path

    def answer(self, request: Request) -> Answer:
        return Answer.of({"method": request.method, "query": dict(request.query), "size": len(request.body)})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server
        assert server.damage == []


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def http(url: str, **changes: Any) -> Http:
    limits = {"connect_timeout": 2, "read_timeout": 2, "total_timeout": 3} | changes
    return Http(url, service="Echo", **limits)


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


class TestNotSent:
    def test_refused(self) -> None:
        with pytest.raises(
            NotSent, match=r"^Cannot reach Echo at http://127\.0\.0\.1:9 \(connection refused\)$"
        ):
            http("http://127.0.0.1:9/v2").call("GET", "/a", params={"key": "canary"})

    def test_no_such_host(self) -> None:
        with pytest.raises(NotSent, match="no such host"):
            http("http://nowhere.invalid").call("GET", "/a")

    def test_a_server_that_speaks_no_tls(self, echo: Echo) -> None:
        with pytest.raises(NotSent, match="TLS failed") as caught:
            http(echo.url.replace("http:", "https:")).call("GET", "/a")
        assert not isinstance(caught.value, CertificateInvalid) and echo.requests == []

    def test_a_certificate_that_proves_nothing(self, echo: Echo, tmp_path: Path) -> None:
        _self_signed(echo, tmp_path)
        with pytest.raises(CertificateInvalid, match="certificate of Echo"):
            http(echo.url.replace("http:", "https:")).call("GET", "/a")
        assert echo.requests == []

    def test_a_trusted_certificate_is_fine(
        self, echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(_self_signed(echo, tmp_path)))
        assert http(echo.url.replace("http:", "https:")).call("GET", "/a").status == 200

    def test_a_proxy_that_is_away(self, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://user:canary@127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(NotSent) as caught:
            http("http://api.example/v2").call("GET", "/a")
        assert "canary" not in str(caught.value)


class TestAnswerLost:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_reset_may_have_come_after_the_work(self, echo: Echo, when: Any) -> None:
        echo.fail("/a", Fault(reset=when))
        with pytest.raises(AnswerLost, match="gave no whole answer") as caught:
            http(echo.url).call("POST", "/a", body=b"x")
        assert caught.value.status == 0 and not caught.value.cut and not caught.value.timed_out
        assert echo.counts["/a"] == 1

    def test_silence_ends_after_the_read_timeout(self, echo: Echo) -> None:
        echo.fail("/a", Fault(hang=True))
        with pytest.raises(AnswerLost, match="timed out") as caught:
            http(echo.url, read_timeout=0.2).call("GET", "/a")
        assert caught.value.timed_out and not caught.value.cut

    def test_a_dripping_answer_ends_after_the_total_timeout(self, echo: Echo) -> None:
        echo.fail("/a", Fault(drip=0.05))
        with pytest.raises(AnswerLost, match="timed out") as caught:
            http(echo.url, read_timeout=0.2, total_timeout=0.5).call("GET", "/a")
        assert caught.value.timed_out

    def test_a_dripping_body_too(self, echo: Echo) -> None:
        echo.fail("/a", Fault(body=b"x" * 100_000, drip=0.002))
        with pytest.raises(AnswerLost, match="timed out") as caught:
            http(echo.url, read_timeout=0.2, total_timeout=0.8).call("GET", "/a")
        assert (caught.value.status, caught.value.cut) == (200, False)

    def test_a_cut_body_is_told_from_a_lost_one(self, echo: Echo) -> None:
        echo.fail("/a", Fault(cut=5))
        with pytest.raises(AnswerLost, match="it ends early") as caught:
            http(echo.url).call("GET", "/a")
        assert (caught.value.status, caught.value.cut) == (200, True)

    def test_an_upload_to_one_who_does_not_read_ends(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            with pytest.raises(AnswerLost, match="timed out"):
                http(url, total_timeout=0.4).call("POST", "/a", body=bytes(64 << 20))

    def test_an_upload_may_take_longer_than_connecting(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as slow:
            threading.Thread(target=_read_late, args=(slow, 16 << 20), daemon=True).start()
            session = http(f"http://127.0.0.1:{slow.getsockname()[1]}", connect_timeout=0.2)
            assert session.call("POST", "/a", body=bytes(16 << 20)).status == 204

    def test_what_is_no_http_is_no_answer(self, echo: Echo) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            threading.Thread(target=_say, args=(other, b"SSH-2.0-OpenSSH_9.6\r\n"), daemon=True).start()
            with pytest.raises(AnswerLost):
                http(f"http://127.0.0.1:{other.getsockname()[1]}").call("GET", "/a")


class TestRefusedAnswers:
    def test_a_body_over_the_limit_is_not_read_to_its_end(self, echo: Echo) -> None:
        echo.fail("/a", Fault(body=b"x" * 5_000_000))
        with pytest.raises(BadReply, match=r"could not be read \(over 1024 KiB\)") as caught:
            http(echo.url, max_body=1 << 20).call("GET", "/a")
        assert caught.value.status == 200 and len(caught.value.body) <= 128 << 10

    def test_a_bomb_is_stopped_at_the_limit(self, echo: Echo) -> None:
        bomb = gzip.compress(bytes(50_000_000))
        echo.fail("/a", Fault(body=bomb, headers={"Content-Encoding": "gzip"}))
        with pytest.raises(BadReply, match="over 1024 KiB"):
            http(echo.url, max_body=1 << 20).call("GET", "/a")

    def test_a_badly_compressed_body_is_no_lost_answer(self, echo: Echo) -> None:
        echo.fail("/a", Fault(body=b"not gzip at all", headers={"Content-Encoding": "gzip"}))
        with pytest.raises(BadReply, match="badly compressed"):
            http(echo.url).call("GET", "/a")

    @pytest.mark.parametrize(
        ("location", "where"),
        [
            ("http://user:canary@169.254.169.254/latest?key=canary", "169.254.169.254"),
            ("file:///etc/passwd", "file:"),
            ("/elsewhere?key=canary", "127.0.0.1"),
            ("//other.example/x", "other.example"),
            ("http://[::1", "an unreadable address"),
        ],
    )
    def test_a_redirect_is_named_by_its_host_and_not_followed(
        self, echo: Echo, location: str, where: str
    ) -> None:
        echo.fail("/a", Fault.redirect(location))
        with pytest.raises(Redirected) as caught:
            http(echo.url).call("GET", "/a")
        assert str(caught.value) == f"unexpected redirect to {where}" and len(echo.requests) == 1


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


def _say(server: socket.socket, words: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(words)


def _read_late(server: socket.socket, size: int) -> None:
    connection, _ = server.accept()
    threading.Event().wait(0.5)
    with connection, connection.makefile("rb") as stream:
        while stream.readline().strip():
            pass
        stream.read(size)
        connection.sendall(b"HTTP/1.1 204 -\r\n\r\n")


def _self_signed(server: Service, folder: Path) -> Path:
    """From now on the server speaks TLS with a certificate that nobody vouches for: this one."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    make += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    try:
        subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.speak_tls(context)
    return certificate


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
