"""The stand-in for Imagga is strict, and says what it was made to suffer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from tests.pictures import exif, jpeg_bytes
from tests.servers.base import Fault
from tests.servers.imagga import KEY, SECRET, Imagga

PICTURE = jpeg_bytes(1, size=(400, 300))


@pytest.fixture
def imagga() -> Iterator[Imagga]:
    with Imagga() as server:
        yield server


def post(imagga: Imagga, picture: bytes = PICTURE, field: str = "image", query: str = "") -> requests.Response:
    file = {field: ("image.jpg", picture, "image/jpeg")}
    return requests.post(f"{imagga.url}/v2/tags{query}", files=file, auth=(KEY, SECRET), timeout=10)


def usage(imagga: Imagga) -> dict[str, object]:
    reply = requests.get(f"{imagga.url}/v2/usage?concurrency=1", auth=(KEY, SECRET), timeout=10)
    result: dict[str, object] = reply.json()["result"]
    return result


def test_tags_depend_on_the_picture(imagga: Imagga) -> None:
    first, again, other = (
        post(imagga, picture).json() for picture in (PICTURE, PICTURE, jpeg_bytes(2, size=(400, 300)))
    )
    assert first == again != other
    assert first["status"] == {"type": "success", "text": ""} and len(first["result"]["tags"]) == 12


def test_what_was_billed_is_counted(imagga: Imagga) -> None:
    post(imagga)
    assert usage(imagga)["monthly_processed"] == 1 and len(imagga.billed) == 1


def test_a_fault_after_the_work_is_billed_and_one_before_it_is_not(imagga: Imagga) -> None:
    imagga.fail("tags", Fault(reset="after"))
    imagga.fail("tags", Fault(reset="before"))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            post(imagga)
    assert (imagga.processed, imagga.counts["tags"]) == (1, 2)


def test_another_key_is_refused(imagga: Imagga) -> None:
    assert requests.get(f"{imagga.url}/v2/usage", auth=("x", "y"), timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("picture", "damage"),
    [(b"", "an empty upload"), (b"\xff\xd8 not a picture", None), (PICTURE[:5000], None)],
)
def test_what_is_no_picture_is_refused(imagga: Imagga, picture: bytes, damage: str | None) -> None:
    reply = post(imagga, picture)
    assert (reply.status_code, reply.json()["status"]["type"]) == (400, "error")
    assert imagga.damage == ([damage] if damage else []) and imagga.processed == 0


@pytest.mark.parametrize(
    ("field", "query"), [("file", ""), ("image", "?lang=en"), ("image", "?language=klingon")]
)
def test_a_wrong_form_or_query_is_refused(imagga: Imagga, field: str, query: str) -> None:
    assert post(imagga, field=field, query=query).status_code == 400


def test_a_wrong_address_is_damage(imagga: Imagga) -> None:
    assert requests.post(f"{imagga.url}/tags", auth=(KEY, SECRET), timeout=10).status_code == 404
    assert imagga.damage


def test_pictures_that_were_not_prepared_are_damage(imagga: Imagga) -> None:
    file = io.BytesIO()
    Image.new("L", (640, 480)).save(file, "JPEG", exif=exif(camera=("Maker", "Model")))
    assert post(imagga, file.getvalue()).status_code == 200
    assert imagga.damage == ["a picture with exif", "a picture that was not prepared: ('JPEG', 'L', 480)"]


def test_one_picture_in_two_forms_is_damage(imagga: Imagga) -> None:
    post(imagga)
    post(imagga)  # requests draws a new boundary each time
    assert imagga.damage == ["two tries with different bytes"]


def test_policy_at_the_service_is_damage(imagga: Imagga) -> None:
    assert post(imagga, query="?threshold=30").status_code == 200
    assert imagga.damage


def test_a_request_after_the_quota_is_damage() -> None:
    with Imagga(limit=1) as imagga:
        usage(imagga)
        picture = jpeg_bytes(2, size=(400, 300))
        assert [post(imagga).status_code, post(imagga, picture).status_code] == [200, 403]
        assert imagga.damage == ["a request after the quota"] and imagga.processed == 1


def test_what_others_used_is_no_damage(imagga: Imagga) -> None:
    usage(imagga)
    imagga.processed = imagga.limit
    assert post(imagga).status_code == 403 and imagga.damage == []


def test_too_many_at_once_are_refused_and_not_billed(imagga: Imagga) -> None:
    imagga.work = 0.3
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(reply.status_code for reply in pool.map(lambda _: post(imagga), range(4)))
    assert statuses == [200, 200, 429, 429] and imagga.processed == 2
