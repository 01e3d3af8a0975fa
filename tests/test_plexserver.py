"""The connection to Plex: what is borne, how long, and in which words it is given up."""

from __future__ import annotations

import logging
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.servers.plex import TOKEN, PlexServer
from tigertag.errors import ConfigError, DiskError, Unreachable
from tigertag.plexserver import Pace, PlexConnection, PlexOptions, Refusal, Unwell


class Clock:
    """Remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    @property
    def pace(self) -> Pace:
        return Pace(connect=2, read=0.3, sleep=self.slept.append, uniform=lambda low, high: high)


@pytest.fixture
def plex() -> Iterator[PlexServer]:
    with PlexServer() as server:
        server.add_photo("", "a.jpg", b"content")
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(clock: Clock) -> Iterator[Callable[..., PlexConnection]]:
    built: list[PlexConnection] = []

    def to(url: str, token: str = TOKEN) -> PlexConnection:
        built.append(PlexConnection(PlexOptions.model_validate({"url": url, "token": token}), clock.pace))
        return built[-1]

    yield to
    for connection in built:
        connection.close()


Connect = Callable[..., PlexConnection]


def test_connects_at_the_first_request_and_with_one(plex: PlexServer, connect: Connect) -> None:
    connection = connect(plex.url)
    assert plex.requests == []
    assert (connection.machine, connection.name, connection.version) == ("m4chine", "nas", "1.43.4.10000")
    assert plex.counts() == {"connect": 1}


def test_refused_connections_are_tried_for_less_than_a_minute(clock: Clock, connect: Connect) -> None:
    with PlexServer() as plex:
        url = plex.url
    with pytest.raises(Unreachable) as error:
        connect(url).get("/library/sections")
    assert str(error.value) == f"Cannot reach Plex at {url} (connection refused). Is it running?"
    assert len(clock.slept) == 5 and sum(clock.slept) <= 60


def test_a_name_that_means_nothing_is_told(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"http://no\.such\.invalid:32400 \(no such host\)"):
        _ = connect("http://no.such.invalid:32400").machine


def test_a_plain_server_under_https_is_told(plex: PlexServer, connect: Connect) -> None:
    with pytest.raises(Unreachable, match="http or https"):
        _ = connect(plex.url.replace("http:", "https:")).machine


def test_a_certificate_that_proves_nothing_is_not_accepted(connect: Connect, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    make += ["-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(make, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    plex = PlexServer()
    plex.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    plex.tls.load_cert_chain(certificate, key)
    with plex, pytest.raises(Unreachable, match=r"The certificate of Plex at https://.* cannot be trusted"):
        _ = connect(plex.url).machine
    assert plex.requests == []


def test_the_token_is_a_matter_of_configuration_and_never_shown(plex: PlexServer, connect: Connect) -> None:
    with pytest.raises(ConfigError, match=r"Plex rejected the token.*View XML") as error:
        _ = connect(plex.url, "w4ong").machine
    assert "w4ong" not in str(error.value)
    assert plex.counts() == {"connect": 1}


def test_a_token_that_only_the_greeting_takes_is_a_matter_of_configuration_too(
    plex: PlexServer, connect: Connect
) -> None:
    connection = connect(plex.url)
    assert connection.machine
    plex.fault("connect", "status", 99, status=401)
    for _ in range(2):
        with pytest.raises(ConfigError, match="Plex rejected the token"):
            connection.sections()
    assert plex.counts() == {"connect": 3}


@pytest.mark.parametrize(("asked", "waits"), [("7", 7), ("99999", 300), ("-1", 0.5), ("soon", 0.5)])
def test_maintenance_is_waited_for_as_long_as_it_asks_but_no_longer_than_five_minutes(
    plex: PlexServer, clock: Clock, connect: Connect, asked: str, waits: float
) -> None:
    plex.fault("any", "status", 1, headers={"Retry-After": asked})
    assert connect(plex.url).machine == "m4chine"
    assert len(clock.slept) == 1 and clock.slept[0] <= waits


@pytest.mark.parametrize("how", ["status", "reset", "cut", "hang"])
def test_what_does_not_pass_is_given_up_after_five_more_tries(
    plex: PlexServer, connect: Connect, how: str
) -> None:
    connection = connect(plex.url)
    assert connection.machine
    plex.fault("any", how, 99)  # type: ignore[arg-type]
    with pytest.raises(Unwell, match=plex.url):
        connection.get("/library/sections")
    assert len(plex.requests) == 1 + 6


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><br></html>",
        b"<MediaContainer",
        b"<MediaContainer>",
        b"{}",
        b"\xff\xfe\x00" * 50,
        b"<MediaContainer><x/></MediaContainer>",
        b'<MediaContainer size="many"/>',
    ],
)
def test_nonsense_is_named_after_two_more_tries(plex: PlexServer, connect: Connect, body: bytes) -> None:
    connection = connect(plex.url)
    assert connection.machine
    plex.fault("any", "garbage", 99, body=body)
    with pytest.raises(Unwell, match=r"Plex at .* sent something that is not"):
        connection.get("/library/sections")
    assert len(plex.requests) == 1 + 3


@pytest.mark.parametrize("body", [b"", b"<html/>", b"<MediaContainer/>", b"not xml"])
def test_what_is_no_plex_is_told_at_the_first_contact(plex: PlexServer, connect: Connect, body: bytes) -> None:
    plex.fault("any", "garbage", 99, body=body)
    with pytest.raises(Unreachable, match="something that is not a Plex server"):
        _ = connect(plex.url).machine


def test_a_refusal_of_one_request_is_the_callers_to_judge(plex: PlexServer, connect: Connect) -> None:
    with pytest.raises(Refusal) as error:
        connect(plex.url).get("/library/metadata/4711")
    assert error.value.status == 404


@pytest.mark.parametrize("status", [403, 404, 413, 415])
def test_a_refusal_at_the_first_contact_is_no_plex(plex: PlexServer, connect: Connect, status: int) -> None:
    plex.fault("any", "status", status=status)
    with pytest.raises(Unreachable, match=rf"answers {status}.*PLEX_URL"):
        _ = connect(plex.url).machine


@pytest.mark.parametrize("status", [403, 404])
def test_sections_that_are_refused_are_told(plex: PlexServer, connect: Connect, status: int) -> None:
    connection = connect(plex.url)
    assert connection.machine
    plex.fault("any", "status", status=status)
    with pytest.raises(Unreachable, match=rf"does not list its sections \({status}"):
        connection.sections()


def test_text_without_a_charset_is_read_as_utf8(plex: PlexServer, connect: Connect) -> None:
    connection = connect(plex.url)
    assert connection.machine
    plex.fault(
        "any", "garbage", body='<MediaContainer size="1"><Photo title="Été 海"/></MediaContainer>'.encode()
    )
    assert connection.get("/x")[0].get("title") == "Été 海"


def test_a_redirect_is_not_followed_with_the_token(plex: PlexServer, connect: Connect) -> None:
    with PlexServer() as elsewhere:
        plex.fault("any", "status", status=302, headers={"Location": f"{elsewhere.url}/"})
        with pytest.raises(Unreachable, match=r"unexpected redirect to 127\.0\.0\.1"):
            _ = connect(plex.url).machine
        assert elsewhere.requests == []


def test_a_lost_edit_is_sent_again_only_where_it_had_no_effect(plex: PlexServer, connect: Connect) -> None:
    key = next(iter(plex.photos))
    edit = f"/library/sections/1/all?id={key}&type=13&tag%5B0%5D.tag.tag=dog"
    plex.fault("edit", "lost")
    connect(plex.url).put(edit, lambda: "Dog" in plex.tags(key))
    assert plex.counts()["edit"] == 1
    plex.user_remove(key, "dog")
    plex.fault("edit", "reset")
    connect(plex.url).put(edit, lambda: "Dog" in plex.tags(key))
    assert plex.counts()["edit"] == 3


def test_a_download_over_its_size_is_cut_off(plex: PlexServer, connect: Connect) -> None:
    photo = next(iter(plex.photos.values()))
    with pytest.raises(Unwell, match="bytes"):
        connect(plex.url).download(photo.part_key, 3)
    with connect(plex.url).download(photo.part_key, 7) as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("key", ["5", "@elsewhere.test/x", ".elsewhere.test/x", ""])
def test_a_file_whose_key_is_no_path_is_not_asked_for(plex: PlexServer, connect: Connect, key: str) -> None:
    connection = connect(plex.url)
    with pytest.raises(Unwell, match="which is no path"):
        connection.download(key, 7)
    assert plex.requests == []


def test_a_full_disk_is_named(plex: PlexServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tigertag.plexserver.connection._IN_MEMORY", 1)
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    photo = next(iter(plex.photos.values()))
    with pytest.raises(DiskError, match="/dev/full"):
        connect(plex.url).download(photo.part_key, 7)


def test_an_answer_that_drips_is_over_after_the_whole_limit(connect: Connect) -> None:
    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not stopped.wait(0.02):
                self.wfile.write(b" ")

        def log_message(self, format: str, *args: object) -> None:
            pass

    stopped = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    options = PlexOptions.model_validate({"url": f"http://127.0.0.1:{server.server_port}", "token": TOKEN})
    slow = PlexConnection(options, Pace(read=5, whole=0.2, sleep=lambda seconds: None))
    try:
        with pytest.raises(Unwell, match="in time"):
            _ = slow.machine
    finally:
        stopped.set()
        slow.close()
        server.shutdown()
        server.server_close()


def test_no_log_line_holds_the_token(
    plex: PlexServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("plexapi").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        connection = connect(plex.url)
        connection.sections()
        plex.fault("any", "status", 99, status=400)
        with pytest.raises(Refusal) as error:
            connection.get("/x")
    assert TOKEN not in caplog.text + str(error.value)
    assert TOKEN not in "".join(request.url for request in plex.requests)


@pytest.mark.parametrize(
    "url", ["nas:32400", "ftp://nas", "http://", "http://a:b@nas", "http://nas?x=1", "http://n s"]
)
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError) as error:
        PlexOptions.model_validate({"url": url, "token": TOKEN})
    assert "a:b@" not in str(error.value) and TOKEN not in str(error.value)


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "ü"])
def test_what_is_no_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValidationError) as error:
        PlexOptions.model_validate({"url": "http://nas:32400", "token": token})
    assert "line" not in str(error.value)
