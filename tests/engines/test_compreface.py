"""CompreFace: what it says of photos, how it starts, and what it does when the service fails."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from pydantic import ValidationError

from tests.servers.base import Fault
from tests.servers.compreface import CORE_DOWN, DETECTION_KEY, KEY, OUT_OF_ROOM, CompreFace, trouble
from tests.servers.compreface_faces import draw_people
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory, FakePhoto, photos
from tigertag.engines.compreface import CompreFaceEngine, CompreFaceOptions
from tigertag.errors import PhotoError, PluginDown, TransientError
from tigertag.model import Engine, Kind, Photo


def no_sleep(_: float) -> None:
    """Waits for nothing."""


@pytest.fixture
def service() -> Iterator[CompreFace]:
    with CompreFace() as running:
        running.seed("Anna", draw_people("magenta"))
        running.seed("Ben", draw_people("lime"))
        yield running


@pytest.fixture
def bench(service: CompreFace) -> Bench:
    return Bench(CompreFaceEngine, service.options, (KEY,), extra={"sleep": no_sleep})


@pytest.fixture
def engine(bench: Bench) -> Iterator[Engine]:
    engine = bench.start()
    yield engine
    engine.close()


def shot(*who: str, seed: int = 1, size: tuple[int, int] = (640, 480), orientation: int = 1) -> FakePhoto:
    content = draw_people(*who, seed=seed, size=size, orientation=orientation, face=size[0] // 8)
    return FakePhoto(content, f"Summer/{'-'.join(who)}{seed}.jpg")


def outcome(engine: Engine, photo: Photo) -> object:
    (one,) = ask(engine, [photo])
    return one


class TestContract(EngineContract):
    @pytest.fixture
    def bench(self, service: CompreFace) -> Bench:
        return Bench(CompreFaceEngine, service.options, (KEY,), extra={"sleep": no_sleep})

    @pytest.fixture
    def shown(self) -> Sequence[Photo]:
        return [shot("magenta", seed=seed) for seed in range(3)]


def test_names_a_person_with_similarity_and_box(engine: Engine) -> None:
    (found,) = said(ask(engine, [shot("magenta")])).popitem()[1]
    assert (found.kind, found.name, found.confidence) == (Kind.PERSON, "Anna", 0.97858)
    assert found.box is not None
    assert found.box.x == pytest.approx(20 / 640, abs=0.01) and found.box.width == pytest.approx(
        80 / 640, abs=0.01
    )
    assert found.box.y == pytest.approx(31 / 480, abs=0.01) and found.box.height == pytest.approx(
        1 / 6, abs=0.02
    )


def test_a_stranger_gets_the_nearest_name_with_its_low_similarity(engine: Engine) -> None:
    (found,) = said(ask(engine, [shot("cyan")])).popitem()[1]
    assert (found.kind, found.confidence) == (Kind.PERSON, 0.21)


def test_without_examples_a_face_is_a_face(bench: Bench, service: CompreFace) -> None:
    service.examples.clear()
    (found,) = said(ask(bench.start(), [shot("cyan")])).popitem()[1]
    assert (found.kind, found.name, found.confidence) == (Kind.FACE, "", 0.99)


def test_several_people_are_all_told(engine: Engine) -> None:
    answer = said(ask(engine, [shot("lime", "magenta")])).popitem()[1]
    assert sorted(one.name for one in answer) == ["Anna", "Ben"]


def test_a_photo_without_faces_has_an_empty_answer(engine: Engine) -> None:
    assert said(ask(engine, photos(1))) == {"Summer/0.jpg": ()}


def test_a_sideways_photo_is_sent_upright_small_and_without_metadata(
    engine: Engine, service: CompreFace
) -> None:
    answer = said(ask(engine, [shot("magenta", size=(2400, 3200), orientation=6)])).popitem()[1]
    with Image.open(io.BytesIO(service.recognised[0])) as sent:
        assert sent.size == (1200, 1600)
    assert [one.name for one in answer] == ["Anna"]
    assert service.damage == []


def test_one_request_a_photo_with_one_prediction(engine: Engine, service: CompreFace) -> None:
    ask(engine, [shot("magenta", seed=seed) for seed in range(4)])
    assert service.counts["recognise"] == 4 and service.damage == []
    query = service.of("recognise")[0].query
    assert query == {"limit": ["0"], "prediction_count": ["1"]}


def test_the_detector_threshold_goes_along(bench: Bench, service: CompreFace) -> None:
    ask(bench.start(det_prob_threshold=0.7), [shot("magenta")])
    assert service.of("recognise")[0].one("det_prob_threshold") == "0.7"


def test_a_picture_over_the_service_s_limit_loses_quality_then_size(bench: Bench, service: CompreFace) -> None:
    service.most_file = 300_000
    ask(bench.start(), [FakePhoto(_noise(1800), "noise.jpg")])
    assert 100_000 < len(service.recognised[0]) <= 300_000


def _noise(side: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((side, side), 120).convert("RGB").save(file, "JPEG", quality=95)
    return file.getvalue()


def test_a_picture_that_never_fits_is_that_photo_s_error(bench: Bench, service: CompreFace) -> None:
    service.most_file = 2_000
    failed = outcome(bench.start(), FakePhoto(_noise(900), "noise.jpg"))
    assert isinstance(failed, PhotoError) and "2000 bytes" in str(failed)


@pytest.mark.parametrize(
    "fault",
    [
        CORE_DOWN,
        OUT_OF_ROOM,
        Fault.html(502),
        Fault.html(503),
        Fault.html(504),
        Fault(reset="before"),
        Fault(reset="after"),
        Fault(cut=20),
        Fault(body=b"<html>200, but no answer</html>", content_type="text/html"),
        Fault(body=b'{"result": {"not": "a list"}}'),
        Fault(status=429, headers={"Retry-After": "1"}),
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_bytes(
    engine: Engine, service: CompreFace, fault: Fault
) -> None:
    service.fail("recognise", fault, times=2)
    assert [one.name for one in said(ask(engine, [shot("magenta")])).popitem()[1]] == ["Anna"]
    assert len({request.digest for request in service.of("recognise")}) == 1
    assert service.counts["recognise"] == 3 and service.damage == []


def test_a_core_that_stays_down_leaves_the_photo_for_later(engine: Engine, service: CompreFace) -> None:
    service.fail("recognise", CORE_DOWN, times=4)
    first, second = ask(engine, [shot("magenta", seed=1), shot("magenta", seed=2)])
    assert isinstance(first, TransientError) and first.photo is not None and "magenta1" in str(first)
    assert second.photo.name == "Summer/magenta2.jpg" if second.photo else False
    assert service.counts["recognise"] == 5


def test_a_service_with_too_much_to_do_is_asked_five_more_times_and_put_aside(
    engine: Engine, service: CompreFace
) -> None:
    service.fail("recognise", Fault(status=429, headers={"Retry-After": "0"}), times=9)
    with pytest.raises(PluginDown, match=r"answered 429 .*too much to do"):
        ask(engine, [shot("magenta")])
    assert service.counts["recognise"] == 6


def test_closing_ends_the_waits_between_tries(service: CompreFace) -> None:
    engine = CompreFaceEngine(CompreFaceOptions.model_validate(service.options), FakeMemory())
    engine.start()
    service.fail("recognise", Fault(status=503, headers={"Retry-After": "60"}), times=9)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(outcome, engine, shot("magenta"))
        while not service.of("recognise"):
            threading.Event().wait(0.01)
        engine.close()
        assert isinstance(answer.result(timeout=10), TransientError)
    assert service.counts["recognise"] == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (trouble(404, 10, f"Recognition service with API Key {KEY} not found"), "rejected the API key"),
        (trouble(400, 26, "Service API key should be UUID"), "not a UUID"),
        (trouble(400, 20, "Missing header: x-api-key"), "got no API key"),
        (Fault.redirect("http://169.254.0.1/latest"), "unexpected redirect to 169.254.0.1"),
        (Fault.html(403), "denied access"),
        (Fault.html(402), "denied access"),
        (Fault.html(410), "does not answer as CompreFace does"),
    ],
)
def test_trouble_with_key_or_address_puts_it_aside_at_once(
    engine: Engine, service: CompreFace, fault: Fault, words: str
) -> None:
    service.fail("recognise", fault)
    with pytest.raises(PluginDown, match=words) as down:
        ask(engine, [shot("magenta"), shot("lime")])
    assert service.counts["recognise"] == 1
    assert KEY not in str(down.value) and str(down.value).isprintable()


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_refused_photo_is_not_sent_again(engine: Engine, service: CompreFace, status: int) -> None:
    service.fail("recognise", Fault(status=status))
    assert isinstance(outcome(engine, shot("magenta")), PhotoError)
    assert service.counts["recognise"] == 1


def test_a_key_at_the_end_of_a_long_message_is_not_shown_in_part(engine: Engine, service: CompreFace) -> None:
    service.fail("recognise", trouble(418, 99, "x" * 190 + KEY))
    assert KEY[:8] not in str(outcome(engine, shot("magenta")))


def test_a_service_that_went_away_is_put_aside(bench: Bench, service: CompreFace) -> None:
    engine = bench.start()
    engine.close()
    service.stop()
    with pytest.raises(PluginDown, match=r"Cannot reach CompreFace at http://127\.0\.0\.1:\d+ .*Is it running"):
        ask(engine, [shot("magenta")])


def test_a_service_that_hangs_holds_nobody_for_long(bench: Bench, service: CompreFace) -> None:
    service.fail("recognise", Fault(hang=True), times=2)
    assert isinstance(outcome(bench.start(timeout=0.2), shot("magenta")), TransientError)
    assert service.counts["recognise"] == 2


def test_bad_faces_are_left_out_and_counted(engine: Engine, service: CompreFace) -> None:
    box = '{"probability": 1, "x_min": -9, "y_min": 10, "x_max": 90, "y_max": 90}'
    good = f'{{"box": {box}, "subjects": [{{"subject": "Anna", "similarity": 0.9}}]}}'
    bad = [
        f'{{"box": {box}, "subjects": [{{"subject": "Anna", "similarity": {value}}}]}}'
        for value in ("NaN", "1.2", "-0.1", '"0.9"', "null", "true", "1e999")
    ] + [
        f'{{"box": {box}, "subjects": [{{"subject": {name}, "similarity": 1}}]}}'
        for name in ('"a\\nb"', '" "', "3")
    ]
    odd = [
        "3",
        "null",
        '{"box": null}',
        '{"box": {"x_min": 5, "y_min": 1, "x_max": 5, "y_max": 9}, "subjects": []}',
    ]
    body = f'{{"result": [{", ".join([good, *bad, *odd])}]}}'.encode()
    service.fail("recognise", Fault(body=body))
    (answer,) = ask(engine, [shot("magenta")])
    assert [one.name for one in said([answer]).popitem()[1]] == ["Anna"]
    assert getattr(answer, "dropped", 0) == len(bad) + len(odd)


def test_a_flood_of_faces_is_capped(engine: Engine, service: CompreFace) -> None:
    face = '{"box": {"probability": 1, "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}, "subjects": []}'
    service.fail("recognise", Fault(body=f'{{"result": [{",".join([face] * 10_000)}]}}'.encode()))
    (answer,) = ask(engine, [shot("magenta")])
    assert len(said([answer]).popitem()[1]) == 500 and getattr(answer, "dropped", 0) == 9_500


def test_the_raw_answer_is_kept_without_the_key(engine: Engine, service: CompreFace) -> None:
    service.fail("recognise", Fault(body=f'{{"result": [], "key": "{KEY.upper()}"}}'.encode()))
    assert getattr(outcome(engine, shot("magenta")), "raw", "") == '{"result": [], "key": "***"}'


def test_waits_while_the_core_loads(bench: Bench, service: CompreFace) -> None:
    service.fail("status", CORE_DOWN, times=5)
    service.fail("config", Fault.html(502), times=5)
    assert said(ask(bench.start(), [shot("magenta")]))


def test_a_core_that_never_comes_up_puts_it_aside(bench: Bench, service: CompreFace) -> None:
    service.fail("status", CORE_DOWN, times=1000)
    with pytest.raises(PluginDown, match="Error during synchronization"):
        bench.start()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"api_key": DETECTION_KEY}, "rejected the API key"),
        ({"api_key": "changeme"}, "not a UUID"),
        ({"api_url": "http://127.0.0.1:9"}, "Cannot reach CompreFace"),
    ],
)
def test_a_wrong_key_or_port_is_said_at_the_start_and_by_check(
    bench: Bench, change: dict[str, object], words: str
) -> None:
    with pytest.raises(PluginDown, match=words):
        bench.start(**change)
    (finding,) = bench.build(**change).check()
    assert not finding.ok and words in finding.text and finding.advice


def test_another_server_on_the_port_is_recognised_as_such(bench: Bench, service: CompreFace) -> None:
    service.fail("status", Fault(status=404, body=b"<html>Apache</html>"))
    with pytest.raises(PluginDown, match="does not answer as CompreFace"):
        bench.start()


def test_faces_of_another_model_are_named_and_nobody_is_recognised(bench: Bench, service: CompreFace) -> None:
    service.is_inconsistent = True
    with pytest.raises(PluginDown, match="dbIsInconsistent"):
        bench.start()
    assert ["dbIsInconsistent" in finding.text for finding in bench.build().check()] == [True]


def test_check_counts_people_and_examples_and_changes_nothing(bench: Bench, service: CompreFace) -> None:
    texts = [finding.text for finding in bench.build().check()]
    assert any("2 people with 2 examples" in text for text in texts)
    assert service.writes == 0 and service.counts["recognise"] == 0 and bench.memory.rows == {}


def test_others_examples_are_part_of_the_settings(bench: Bench, service: CompreFace) -> None:
    before = bench.start().settings
    assert bench.build().settings == before == bench.start().settings
    service.seed("Clara", draw_people("cyan"))
    assert bench.start().settings != before


def test_the_threshold_of_the_detector_is_part_of_the_settings(bench: Bench) -> None:
    assert bench.build(det_prob_threshold=0.7).settings != bench.build().settings


def test_a_port_in_the_url_wins(bench: Bench) -> None:
    def address(**given: object) -> str:
        return CompreFaceOptions.model_validate({"api_key": KEY, **given}).address

    assert address() == "http://localhost:8000"
    assert address(api_url="https://nas:8443/", api_port=9000) == "https://nas:8443"
    assert address(api_url="http://nas/faces/", api_port="9000") == "http://nas:9000/faces"


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_url": "localhost"},
        {"api_url": "ftp://nas"},
        {"api_port": 0},
        {"api_key": " "},
        {"api_key": "a\nb"},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CompreFaceOptions.model_validate({"api_key": KEY, **wrong})


def test_answers_of_the_settings_say_what_leaves_the_house(bench: Bench, service: CompreFace) -> None:
    assert bench.build().sends == f"sends pictures of at most 1600 px without metadata to {service.host}"
    assert bench.build().concurrency == 2
    assert CompreFaceEngine.Options.model_validate(bench.options).policy().min_confidence == 0.85
