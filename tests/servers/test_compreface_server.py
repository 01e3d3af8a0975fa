"""The stand-in for CompreFace answers as the real one is known to, and says what it was made to suffer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import requests

from tests.servers.compreface import CORE_DOWN, DETECTION_KEY, KEY, CompreFace
from tests.servers.compreface_faces import draw_people

ANNA = draw_people("magenta")
BASE = "/api/v1/recognition"
Said = tuple[int, object]


@pytest.fixture
def service() -> Iterator[CompreFace]:
    with CompreFace() as running:
        yield running


class Caller:
    """Sends requests with the key, or with another one."""

    def __init__(self, service: CompreFace) -> None:
        self.service = service

    def __call__(self, method: str, path: str, key: str | None = KEY, **more: object) -> requests.Response:
        headers = {} if key is None else {"x-api-key": key}
        url = self.service.url + BASE + path
        return requests.request(method, url, headers=headers, timeout=10, **more)  # type: ignore[arg-type]

    def add(self, subject: str, picture: bytes = ANNA, name: str = "image.jpg") -> requests.Response:
        return self("POST", "/faces", params={"subject": subject}, files={"file": (name, picture)})


@pytest.fixture
def call(service: CompreFace) -> Caller:
    return Caller(service)


def code(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, (400, 20)),
        ("abc", (400, 26)),
        (DETECTION_KEY, (404, 10)),
        ("d817d306-9508-4489-b0c0-596e463ca084", (404, 10)),
    ],
)
def test_keys_are_checked_in_order(call: Caller, key: str | None, expected: tuple[int, int]) -> None:
    assert code(call("GET", "/subjects", key)) == expected


def test_subjects_are_made_once_whatever_their_case(call: Caller) -> None:
    assert call("POST", "/subjects", json={"subject": "Anna"}).status_code == 201
    assert code(call("POST", "/subjects", json={"subject": "ANNA"})) == (400, 43)
    assert call("GET", "/subjects").json() == {"subjects": ["Anna"]}


@pytest.mark.parametrize(
    ("name", "expected"), [(" ", 26), ("x" * 51, 26), ("a;b", 36), ("a/b", 36), ("a\\b", 36)]
)
def test_bad_names_are_refused(call: Caller, name: str, expected: int) -> None:
    assert code(call("POST", "/subjects", json={"subject": name})) == (400, expected)


def test_bad_bodies_get_empty_answers(call: Caller) -> None:
    text = {"headers": {"x-api-key": KEY, "Content-Type": "application/json"}, "timeout": 10}
    broken = requests.post(f"{call.service.url}{BASE}/subjects", data=b"{", **text)  # type: ignore[arg-type]
    assert (broken.status_code, broken.content) == (400, b"")
    wrong = call("POST", "/faces", params={"subject": "Anna"}, data=b"x")
    assert (wrong.status_code, wrong.content) == (415, b"")
    assert call("DELETE", "/faces/no-uuid").content == b""


def test_a_slash_in_a_name_gets_html(call: Caller) -> None:
    assert "html" in call("DELETE", "/subjects/a%2Fb").headers["Content-Type"]


def test_renaming_merges(call: Caller, service: CompreFace) -> None:
    call.add("Anna")
    call.add("Ann", draw_people("magenta", seed=2))
    assert call("PUT", "/subjects/Ann", json={"subject": "Anna"}).json() == {"updated": True}
    assert service.subjects == ["Anna"] and len(service.of_subject("Anna")) == 2
    assert code(call("PUT", "/subjects/Ann", json={"subject": "Anna"})) == (404, 42)


@pytest.mark.parametrize("path", ["/subjects", "/subjects/"])
def test_deleting_without_a_name_deletes_everything(call: Caller, service: CompreFace, path: str) -> None:
    service.seed("Zoe", ANNA)
    assert call("DELETE", path).json() == {"deleted": 1}
    assert service.subjects == [] and len(service.damage) == 2


def test_an_example_needs_exactly_one_face(call: Caller, service: CompreFace) -> None:
    assert call.add("Anna").status_code == 201
    assert code(call.add("Anna", draw_people())) == (400, 28)
    assert code(call.add("Anna", draw_people("magenta", "lime"))) == (400, 31)
    assert code(call.add("Anna", b"no picture")) == (400, 28)
    assert code(call.add("Anna", draw_people("lime", orientation=6))) == (400, 28)
    assert code(call.add("Anna", name="image.txt")) == (400, 21)


def test_adding_is_not_idempotent(call: Caller, service: CompreFace) -> None:
    first, second = (call.add("Anna").json()["image_id"] for _ in range(2))
    assert first != second and any("twice" in damage for damage in service.damage)


def test_examples_are_listed_by_twenty(call: Caller, service: CompreFace) -> None:
    for seed in range(25):
        service.seed("Zoe", draw_people("cyan", seed=seed))
    page = call("GET", "/faces").json()
    assert len(page["faces"]) == 20 and (page["total_pages"], page["total_elements"]) == (2, 25)
    assert call("GET", "/faces", params={"subject": "zoe"}).json()["total_elements"] == 0


def test_a_picture_comes_back_as_it_was_sent(call: Caller, service: CompreFace) -> None:
    image_id = call.add("Anna").json()["image_id"]
    assert call("GET", f"/faces/{image_id}/img").content == ANNA
    assert call("GET", f"/faces/{uuid.uuid4()}/img").content == b""
    assert call("DELETE", f"/faces/{image_id}").json() == {"image_id": image_id, "subject": "Anna"}
    assert code(call("DELETE", f"/faces/{image_id}")) == (404, 44)
    assert service.subjects == ["Anna"]


def test_recognising_gives_an_entry_per_example_and_the_nearest_to_a_stranger(call: Caller) -> None:
    for seed in range(3):
        call.add("Anna", draw_people("magenta", seed=seed))
    file = {"file": ("image.jpg", draw_people("magenta", "cyan", seed=5))}
    result = call("POST", "/recognize", params={"limit": 0, "prediction_count": 2}, files=file).json()["result"]
    assert [[s["similarity"] for s in face["subjects"]] for face in result] == [[0.97858] * 2, [0.21] * 2]


def test_too_much_is_refused_in_two_ways(call: Caller, service: CompreFace) -> None:
    service.most_file = 100
    assert code(call.add("Anna")) == (400, 0)
    service.most_body = 200
    assert call.add("Anna").status_code == 413


def test_damage_to_others_is_told(call: Caller, service: CompreFace) -> None:
    foreign = service.seed("Zoe", ANNA)
    call("PUT", "/subjects/Zoe", json={"subject": "Zoë"})
    call("DELETE", f"/faces/{foreign}")
    assert len(service.damage) == 2 and "somebody else's" in service.damage[1]


def test_the_same_picture_twice_is_told_unless_the_first_went_wrong(call: Caller, service: CompreFace) -> None:
    from tigertag.http import multipart

    body, kind = multipart("file", "image.jpg", draw_people("lime"), "image/jpeg")
    service.fail("recognise", CORE_DOWN)
    for damage in (0, 0, 1):
        headers = {"x-api-key": KEY, "Content-Type": kind}
        requests.post(f"{service.url}{BASE}/recognize", data=body, headers=headers, timeout=10)
        assert service.damage.count("asked for the same picture twice") == damage
