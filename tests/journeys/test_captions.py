"""A caption that an engine gives, from the scan to the undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.test_sidecars import Owner, owner
from tests.stage import STAGES, Mind, Stage
from tigertag.model import CAPTION, Annotation, Kind, Photo
from tigertag.xmp.fields import Field, Fields
from tigertag.xmp.packet import Packet

__all__ = ["owner"]


class Describer:
    """An engine that says what it is told to."""

    def __init__(self) -> None:
        self.tags = ["dog"]
        self.caption = "A dog\non grass"

    def says(self, photo: Photo) -> Iterator[Annotation]:
        yield Annotation(Kind.TEXT, "text in the picture", value="STOP")
        yield Annotation(Kind.TEXT, CAPTION, value=self.caption)
        yield from (Annotation(Kind.TAG, tag) for tag in self.tags)


@pytest.fixture
def describer(owner: Owner) -> Iterator[Describer]:
    made = Describer()
    STAGES["captions"] = Stage("captions", minds={"describer": Mind(default=made.says)})
    del owner.settings["ENGINE_METADATA_WORDS"]
    owner.settings |= {
        "ENGINE_DESCRIBER_NAME": "tests.fakes_pipeline.MindEngine",
        "ENGINE_DESCRIBER_STAGE": "captions",
        "ENGINE_DESCRIBER_MIND": "describer",
    }
    yield made
    del STAGES["captions"]


def captions(owner: Owner) -> set[str]:
    return {Packet.parse(each.read_bytes()).fields().caption for each in owner.pictures.glob("*.xmp")}


def test_a_caption_is_written_follows_the_engine_and_goes_with_an_undo(
    owner: Owner, describer: Describer
) -> None:
    owner.scan()
    assert captions(owner) == {"A dog on grass"}
    describer.caption = "Two dogs"
    owner.settings["ENGINE_DESCRIBER_LEVEL"] = "1"
    owner.scan("--yes")
    assert captions(owner) == {"Two dogs"}
    owner.ok("undo", "--all", "--yes")
    assert captions(owner) == set()
    owner.scan()
    assert captions(owner) == set()


def test_a_caption_that_the_owner_changed_stays(owner: Owner, describer: Describer) -> None:
    owner.scan()
    packet = Packet.parse(owner.sidecar(0).read_bytes())
    now = packet.fields()
    packet.apply(Fields(now.values, "Rex", now.provenance))
    owner.sidecar(0).write_bytes(packet.to_bytes())
    describer.caption, describer.tags = "Two dogs", ["dog", "grass"]
    owner.settings["ENGINE_DESCRIBER_LEVEL"] = "1"
    owner.scan("--yes")
    assert owner.fields(0).caption == "Rex" and owner.fields(1).caption == "Two dogs"
    assert owner.fields(0).of(Field.SUBJECT) == ("dog", "grass")
    owner.ok("undo", "--all", "--yes")
    assert captions(owner) == {"Rex"}


def test_a_caption_alone_makes_no_sidecar(owner: Owner, describer: Describer) -> None:
    describer.tags = []
    owner.scan()
    assert captions(owner) == set()
