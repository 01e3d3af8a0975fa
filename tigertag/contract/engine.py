"""What every engine promises. A plugin's tests subclass `EngineContract` and give it a `bench`."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from pydantic import ValidationError

from tigertag.contract.drawing import jpeg
from tigertag.contract.stand_ins import BrokenPhoto, FakeMemory, FakePermit, photos
from tigertag.errors import PhotoError, TransientError
from tigertag.model import LONGEST_NAME, Analysis, Annotation, Engine, Kind, Photo, Rendition, fingerprint


@dataclass
class Bench:
    """A plugin and what it needs to work here. What it builds shares one memory and is closed by the suite."""

    plugin: type[Any]
    options: Mapping[str, object]
    """As configuration gives them: names without the `ENGINE_<ID>_`."""
    secrets: tuple[str, ...] = ()
    """Keys among the options that may show nowhere."""
    requests: Callable[[], int] = lambda: 0
    """Requests so far that the service may bill; a free engine has none."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Keywords of the constructor beside options and memory, such as a sleep that does not sleep."""
    memory: FakeMemory = field(default_factory=FakeMemory)
    built: list[Engine] = field(default_factory=list)

    def build(self, **changes: object) -> Engine:
        """A newly built engine, not started."""
        options = self.plugin.Options(**{**self.options, **changes})
        engine: Engine = self.plugin(options, self.memory, **self.extra)
        self.built.append(engine)
        return engine

    def start(self, **changes: object) -> Engine:
        engine = self.build(**changes)
        engine.start()
        return engine


Outcome = Analysis | PhotoError | TransientError


def ask(engine: Engine, shown: Sequence[Photo], permit: FakePermit | None = None) -> list[Outcome]:
    """The outcomes of `shown`, in batches as the engine wants them."""
    permit = permit or FakePermit()
    batches = [shown[start : start + engine.batch_size] for start in range(0, len(shown), engine.batch_size)]
    return [outcome for batch in batches for outcome in engine.analyze(batch, permit)]


def said(outcomes: Sequence[Outcome]) -> dict[str, tuple[Annotation, ...]]:
    """What was said of each photo, by its name. Fails where a photo has no answer."""
    answers: dict[str, tuple[Annotation, ...]] = {}
    for outcome in outcomes:
        assert isinstance(outcome, Analysis), outcome
        answers[outcome.photo.name] = outcome.annotations
    return answers


class EngineContract:
    """Override the fixture `bench`, and `shown` where only other photos give the engine something to say."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    @pytest.fixture
    def shown(self) -> Sequence[Photo]:
        return photos(3)

    @pytest.fixture
    def engine(self, bench: Bench) -> Engine:
        return bench.start()

    @pytest.fixture(autouse=True)
    def _closed(self, bench: Bench) -> Iterator[None]:
        yield
        for engine in bench.built:
            engine.close()

    def test_says_who_it_is(self, engine: Engine) -> None:
        assert engine.name and engine.name.isprintable()
        assert engine.version
        assert engine.reads in ("picture", "file")
        assert engine.batch_size >= 1 and engine.concurrency >= 1

    def test_says_in_one_line_what_leaves_the_house(self, bench: Bench) -> None:
        sends = bench.build().sends
        assert sends and sends.isprintable()
        assert not any(secret in sends for secret in bench.secrets)

    def test_says_where_it_runs_and_what_it_needs_there(self, bench: Bench) -> None:
        engine = bench.build()
        assert engine.runs_in == "thread" or (engine.runs_in == "worker" and not engine.billed)
        assert all(isinstance(each, Rendition) for each in engine.renditions)
        assert all(much > 0 for much in engine.resources.values())

    def test_settings_are_json_and_the_same_each_time(self, bench: Bench) -> None:
        first, second = (fingerprint(bench.start().settings) for _ in range(2))
        assert first == second

    def test_settings_and_representation_hold_no_secret(self, bench: Bench) -> None:
        engine = bench.build()
        shown = json.dumps(engine.settings) + repr(engine) + repr(bench.plugin.Options(**bench.options))
        assert not any(secret in shown for secret in bench.secrets)

    def test_policy_changes_no_setting(self, bench: Bench) -> None:
        plain, changed = bench.build(), bench.build(prefix="tti", min_confidence=77, max_tags=3, order="path")
        assert plain.settings == changed.settings

    def test_building_talks_to_nobody(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def no(*_: object) -> NoReturn:
            raise AssertionError("connected while it was built")

        monkeypatch.setattr(socket.socket, "connect", no)
        monkeypatch.setattr(socket, "getaddrinfo", no)
        engine = bench.build()
        assert engine.settings is not None and engine.sends and engine.concurrency and engine.name

    def test_an_unknown_option_is_refused_by_name(self, bench: Bench) -> None:
        with pytest.raises(ValidationError, match="prefx"):
            bench.plugin.Options(**{**bench.options, "prefx": "tti"})

    def test_options_give_a_policy(self, bench: Bench) -> None:
        policy = bench.plugin.Options(**bench.options).policy()
        assert 0 <= policy.min_confidence <= 1
        assert bench.plugin.Options(**{**bench.options, "min_confidence": 60}).policy().min_confidence == 0.6

    def test_each_photo_gets_one_outcome_that_names_it(self, engine: Engine, shown: Sequence[Photo]) -> None:
        assert sorted(said(ask(engine, shown))) == sorted(photo.name for photo in shown)

    def test_no_photos_are_no_work(self, engine: Engine, bench: Bench) -> None:
        assert list(engine.analyze([], FakePermit())) == []
        assert bench.requests() == 0

    def test_what_it_says_keeps_to_the_ranges(self, engine: Engine, shown: Sequence[Photo]) -> None:
        annotations = [one for answer in said(ask(engine, shown)).values() for one in answer]
        assert annotations, "give the suite photos that this engine has something to say about"
        for annotation in annotations:
            _check(annotation)

    def test_says_the_same_of_the_same_picture(self, bench: Bench, shown: Sequence[Photo]) -> None:
        first, second = (said(ask(bench.start(), shown)) for _ in range(2))
        assert first == second

    def test_a_broken_photo_does_not_hold_the_others(self, engine: Engine, shown: Sequence[Photo]) -> None:
        broken = BrokenPhoto(jpeg(99), "Summer/broken.jpg")
        outcomes = ask(engine, [shown[0], broken, *shown[1:]])
        named = [outcome.photo.name for outcome in outcomes if outcome.photo is not None]
        assert sorted(named) == sorted([broken.name, *(photo.name for photo in shown)])
        if engine.reads == "picture":
            assert [o.photo for o in outcomes if isinstance(o, PhotoError)] == [broken]

    def test_asks_for_a_permit_before_each_request_that_may_be_billed(
        self, engine: Engine, bench: Bench, shown: Sequence[Photo]
    ) -> None:
        permit = FakePermit()
        ask(engine, shown, permit)
        assert len(permit.sends) == bench.requests() == (len(shown) if engine.billed else 0)

    def test_a_second_start_is_harmless(self, engine: Engine, shown: Sequence[Photo]) -> None:
        engine.start()
        assert said(ask(engine, shown))

    def test_check_finds_nothing_wrong_and_bills_nothing(self, bench: Bench) -> None:
        findings = list(bench.build().check())
        assert findings and all(finding.ok for finding in findings), findings
        assert all(finding.text.isprintable() for finding in findings)
        assert bench.requests() == 0

    def test_closing_twice_is_harmless(self, bench: Bench) -> None:
        engine = bench.start()
        engine.close()
        engine.close()


def _check(annotation: Annotation) -> None:
    assert annotation.kind in Kind
    assert 0 <= annotation.confidence <= 1
    assert len(annotation.name) <= LONGEST_NAME and annotation.name == annotation.name.strip()
    assert annotation.name or annotation.kind not in (Kind.TAG, Kind.PERSON)
    json.dumps(annotation.value, allow_nan=False)
    if annotation.box is not None:
        box = annotation.box
        assert 0 <= box.x <= 1 and 0 <= box.y <= 1 and box.width > 0 and box.height > 0
        assert box.x + box.width <= 1 + 1e-9 and box.y + box.height <= 1 + 1e-9
