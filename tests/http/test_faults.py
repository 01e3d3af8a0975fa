"""What went wrong: never sent, lost on the way, or no answer of the service's."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.http.echo import Echo, http
from tests.servers.base import Fault, Service
from tigertag.http import (
    AnswerLost,
    BadReply,
    CertificateInvalid,
    NotSent,
    Redirected,
)


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

    def test_a_single_request_may_have_less_time(self, echo: Echo) -> None:
        echo.fail("/a", Fault(hang=True))
        with pytest.raises(AnswerLost, match="timed out"):
            http(echo.url, read_timeout=60, total_timeout=60).call("GET", "/a", within=0.2)

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

    @pytest.mark.parametrize("hint", [102, 103])
    def test_a_hint_before_the_answer_is_no_answer(self, hint: int) -> None:
        """Else each request would be given the answer to the one before it (E17)."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=_hint, args=(server, hint), daemon=True).start()
            session = http(f"http://127.0.0.1:{server.getsockname()[1]}")
            answers = [session.call("GET", path) for path in ("/a", "/b")]
        assert [(answer.status, answer.body) for answer in answers] == [(200, b"/a"), (200, b"/b")]

    def test_hints_without_end_are_no_answer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10
            threading.Thread(target=_say, args=(server, hints), daemon=True).start()
            with pytest.raises(AnswerLost):
                http(f"http://127.0.0.1:{server.getsockname()[1]}").call("GET", "/a")


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


def _hint(listener: socket.socket, hint: int) -> None:
    """Answers each request with its path, after a hint that has gone out before."""
    connection, _ = listener.accept()
    with connection:
        while request := connection.recv(65536):
            path = request.split()[1]
            connection.sendall(b"HTTP/1.1 %d Soon\r\nLink: </x>\r\n\r\n" % hint)
            threading.Event().wait(0.05)  # what a service takes to work
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


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
