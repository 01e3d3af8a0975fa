"""What every executor promises, over threads, processes and Dask."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.executors.tasks import Decode, Look, Thing, Unsendable
from tests.plugins_for_tests import Burner
from tests.stage import drawn
from tigertag import executors
from tigertag.errors import MissingDecoder, PhotoError, PluginDown, TigerTagError, TransientError, WorkerLost
from tigertag.media import File, Here
from tigertag.media.sniff import anatomy
from tigertag.model import Annotation, Kind, Rendition, fingerprint
from tigertag.pipeline.workshop import Workers, Workshop
from tigertag.worker import Ask, Blueprint, Parcel, Render, Said

SMALL = Rendition(short_side=30)
OPTIONS = Burner.Options.model_validate({})
SECONDS = 60  # until a test is given up


def done(workers: Workers, task: Any, things: list[Any], **resources: float) -> list[Any]:
    return workers.submit(task, things, resources).result(SECONDS)


class TestExecutor:
    def test_there_is_one_outcome_for_each_thing_in_their_order(self, workers: Workers) -> None:
        names = [f"{number}.jpg" for number in range(20)]
        assert done(workers, Look(), [Thing(name) for name in names]) == [name.upper() for name in names]

    def test_what_runs_side_by_side_is_not_mixed_up(self, workers: Workers) -> None:
        given = {name: workers.submit(Look(), [Thing(name)], {}) for name in map(str, range(20))}
        assert {name: future.result(SECONDS) for name, future in given.items()} == {
            name: [name] for name in given
        }

    def test_an_error_of_one_thing_is_an_outcome(self, workers: Workers) -> None:
        well, damaged, rare = done(workers, Look(), [Thing("a"), Thing("b", "damaged"), Thing("c", "rare")])
        assert well == "A"
        assert (type(damaged), str(damaged), damaged.raw) == (PhotoError, "b is damaged", "{}")
        assert (type(rare), rare.extra) == (MissingDecoder, "heic")

    def test_an_error_of_the_whole_task_is_raised(self, workers: Workers) -> None:
        with pytest.raises(PluginDown, match="the model is away") as raised:
            done(workers, Look(), [Thing("a", "down")])
        assert raised.value.until == "Monday"

    def test_a_fault_is_told(self, workers: Workers) -> None:
        with pytest.raises(Exception, match="nobody divides by that"):
            done(workers, Look(), [Thing("a", "fault")])
        assert done(workers, Look(), [Thing("a")]) == ["A"]

    def test_pictures_are_the_same_wherever_they_are_made(self, workers: Workers) -> None:
        content = drawn(1)
        file = File("1.jpg", content, anatomy(content))
        assert done(workers, Render((SMALL,)), [file]) == [Here().render(file, (SMALL,))]


class TestEngines:
    """Engines that compute, in workers of each kind."""

    def test_an_engine_is_built_once_for_each_worker(self, workers: Workers) -> None:
        said = [self.ask(workers, {"says": "built"}, ["a.jpg"]) for _ in range(6)]
        assert {one.annotations[0].name for (one,) in said} == {"engine 1"}

    def test_an_engine_says_what_it_says_here(self, workers: Workers) -> None:
        (said,) = self.ask(workers, {}, ["a.jpg"])
        assert said == Said((Annotation(Kind.TAG, Burner.word(drawn(1))),))

    def test_nothing_that_is_billed_is_sent_from_there(self, workers: Workers) -> None:
        (outcome,) = self.ask(workers, {"says": "billed"}, ["a.jpg"])
        assert isinstance(outcome, PluginDown) and "billed" in str(outcome)

    def test_another_engine_than_the_one_here_is_refused(self, workers: Workers) -> None:
        task = Ask(Blueprint("tests.plugins_for_tests.Burner", OPTIONS, fingerprint({"model": "newer"})))
        (outcome,) = done(workers, task, [parcel("a.jpg")])
        assert isinstance(outcome, PluginDown) and "not the same on the worker" in str(outcome)

    def test_an_engine_that_is_not_installed_there_is_put_aside(self, workers: Workers) -> None:
        task = Ask(Blueprint("nobody.knows.It", OPTIONS, ""))
        (outcome,) = done(workers, task, [parcel("a.jpg")])
        assert isinstance(outcome, PluginDown) and "on the worker" in str(outcome)

    def test_an_error_names_its_photo(self, workers: Workers) -> None:
        outcomes = self.ask(workers, {"fails": "b.jpg"}, ["a.jpg", "b.jpg", "c.jpg"])
        assert [type(outcome) for outcome in outcomes] == [Said, PhotoError, Said]

    def ask(self, workers: Workers, options: dict[str, Any], names: list[str]) -> list[Any]:
        made = Burner.Options.model_validate(options)
        settings = Burner(made, None).settings
        blueprint = Blueprint("tests.plugins_for_tests.Burner", made, fingerprint(dict(settings)))
        return done(workers, Ask(blueprint), [parcel(name) for name in names])


def parcel(name: str) -> Parcel:
    return Parcel(name, name, "", 64, 48, {Burner.RENDITION: drawn(1)})


class TestLosses:
    """Of workers that can be lost."""

    def test_a_decoder_that_crashes_is_told_and_the_next_is_done(self, losable: Workers) -> None:
        with pytest.raises(WorkerLost, match="looked at it"):
            done(losable, Decode(), [Thing("a", "crash")])
        assert done(losable, Look(), [Thing("b")]) == ["B"]

    def test_of_a_batch_the_one_that_kills_is_found_and_the_others_are_done(self, losable: Workers) -> None:
        workshop = Workshop(losable)
        things = [Thing("a"), Thing("b", "kill"), Thing("c"), Thing("d")]
        batch, beside = workshop.submit(Look(), things), workshop.submit(Look(), [Thing("e")])
        a, killer, c, d = batch.result(SECONDS)
        assert (a, c, d, beside.result(SECONDS)) == ("A", "C", "D", ["E"])
        assert isinstance(killer, PhotoError)
        assert str(killer).startswith("b ") and str(killer).endswith(", twice")

    def test_what_cannot_be_sent_there_is_told(self, losable: Workers) -> None:
        with pytest.raises(TypeError, match="pickle"):
            done(losable, Look(), [threading.Lock()])
        assert done(losable, Look(), [Thing("a")]) == ["A"]

    def test_what_cannot_be_sent_back_is_told(self, losable: Workers) -> None:
        with pytest.raises(RuntimeError, match="cannot be sent"):
            done(losable, Unsendable(), [1])
        assert done(losable, Look(), [Thing("a")]) == ["A"]


def test_a_workshop_that_has_closed_tells_what_is_not_done() -> None:
    workshop = Workshop(executors.open_workers("threads?workers=1"))
    started, go = threading.Event(), threading.Event()

    def hold(things: Any) -> list[str | TigerTagError]:
        started.set()
        go.wait(SECONDS)
        return list(things)

    first, second = workshop.submit(hold, ["a"]), workshop.submit(hold, ["b"])
    started.wait(SECONDS)
    closing = threading.Thread(target=workshop.close)
    closing.start()
    (left,) = second.result(SECONDS)
    go.set()
    closing.join(SECONDS)
    assert first.result(SECONDS) == ["a"]
    assert isinstance(left, TransientError)
    (late,) = workshop.submit(Look(), [Thing("c")]).result(SECONDS)
    assert isinstance(late, TransientError)
