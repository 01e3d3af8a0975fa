"""The owner's verdicts and tags make words as sure as they are; what we wrote ourselves says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import databases
from tests.cli.terminal import Terminal
from tests.engines import clip_models
from tests.engines.clip_models import COLOURS
from tigertag.meaning import calibration
from tigertag.meaning.calibration import Calibration
from tigertag.store import evidence
from tigertag.store.database import Database
from tigertag.store.evidence import Judged

_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:subject><rdf:Bag><rdf:li>red</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_PHOTOS = 12


@pytest.fixture
def library(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """Photos between red and grey, of which the owner has tagged the reddest. A few answers are enough."""
    monkeypatch.setattr(calibration, "FEWEST", 3)
    (tmp_path / "words.yaml").write_text("- red\n")
    (tmp_path / "database").mkdir()
    with databases.empty_url(getattr(request, "param", "sqlite"), tmp_path / "database") as url:
        terminal = Terminal(
            tmp_path,
            {
                "DB_URL": url,
                "ENGINE_CLIP_MODEL": str(clip_models.make(tmp_path / "model")),
                "ENGINE_CLIP_WORDS": str(tmp_path / "words.yaml"),
                "TARGET_XMP_NAME": "xmp",
            },
        )
        terminal.pictures.mkdir()
        grey = np.array([128, 128, 128])
        for place in range(_PHOTOS):
            share = 1 - place / (2 * _PHOTOS)
            shade = np.rint(share * np.array(COLOURS["red"]) + (1 - share) * grey).astype(int).tolist()
            path = terminal.pictures / f"{place:02}.jpg"
            Image.new("RGB", (80, 60), tuple(shade)).save(path, quality=95)
            if place < _PHOTOS // 2:
                path.with_name(f"{path.name}.xmp").write_text(_XMP)
        yield terminal


def scan(library: Terminal) -> None:
    library.scan("--executor", "threads")


def remove_ours(library: Terminal) -> int:
    """As a person does in another program, from every photo that we have tagged; how many there were."""
    found = 0
    for path in sorted(library.pictures.glob("*.xmp"))[_PHOTOS // 2 :]:
        path.write_text(path.read_text().replace("<rdf:li>red</rdf:li>", ""))
        found += 1
    library.ok("write", "--verify")
    return found


def sure(library: Terminal) -> dict[str, float]:
    found = library.json("tags", "try", "red", "--limit", "50", "--threshold", "0")
    return {each["path"].rpartition("/")[2]: each["probability"] for each in found}


@pytest.mark.parametrize("library", ["sqlite", "postgresql"], indirect=True)
def test_what_the_owner_tagged_and_removed_makes_it_as_sure_as_it_is(library: Terminal) -> None:
    scan(library)
    before = sure(library)
    library.ok("write")
    said = library.ok("tags", "try", "red")
    assert "the model's default calibration; yours would take 3 of each, and there are 6 tags of yours" in said
    removed = remove_ours(library)
    assert removed >= 3
    library.ok("write")
    after = sure(library)
    assert f"your own calibration, from 6 tags of yours, {removed} that you removed" in library.ok(
        "tags", "look", "red"
    )
    last = f"{_PHOTOS // 2 + removed - 1:02}.jpg"
    assert before[last] > 0.6 > after[last]
    assert after["00.jpg"] > 0.6
    (red,) = [each for each in library.json("tags", "explain", "00.jpg") if each["engine"] == "clip"]
    assert red["calibration"] == "own" and -1 <= red["cosine"] <= 1
    assert red["confidence"] == pytest.approx(after["00.jpg"], abs=1e-3)
    assert "clip is as sure as your own calibration" in library.ok("tags", "explain", "00.jpg")


def test_what_we_wrote_ourselves_is_no_evidence(library: Terminal) -> None:
    for path in library.pictures.glob("*.xmp"):
        path.unlink()
    scan(library)
    shown = [each["shown"] for each in library.json("tags") if each["name"] == "red"]
    assert shown and shown[0] >= 6
    library.ok("write")
    assert "there are 0 tags of yours, 0 that you removed" in library.ok("tags", "try", "red")


def test_too_little_leaves_the_default(library: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "FEWEST", 20)
    scan(library)
    before = sure(library)
    remove_ours(library)
    library.ok("write")
    assert sure(library) == before
    assert {each["calibration"] for each in library.json("tags", "look", "red")} == {"default"}


def test_a_copy_with_its_sidecar_is_no_evidence(library: Terminal) -> None:
    """What we wrote comes back there as somebody else's."""
    scan(library)
    ours = library.pictures / f"{_PHOTOS // 2:02}.jpg"
    (library.pictures / "copy").mkdir()
    for path in (ours, ours.with_name(f"{ours.name}.xmp")):
        (library.pictures / "copy" / path.name).write_bytes(path.read_bytes())
    scan(library)
    with Database.open(library.settings["DB_URL"]) as database, database.reading() as session:
        found = evidence.judged(session, {"red"}, 100)
    assert len(found) == _PHOTOS // 2 and all(isinstance(each, Judged) and each.fits for each in found)


# ---- the curve --------------------------------------------------------------------------------------------


def test_where_nothing_was_offered_it_is_no_surer_than_the_default() -> None:
    """Everything above 0 was offered and most of it kept: that says nothing about what lies below."""
    dice = np.random.default_rng(4)
    logits = dice.uniform(0.5, 4, 400)
    curve = calibration.of_answers(logits, dice.random(400) < 1 / (1 + np.exp(-0.6 * logits - 1)))
    assert curve.known and curve.floor > 0.4
    low = np.linspace(-6, curve.floor - 0.01, 50)
    assert (curve.probabilities(low) <= Calibration().probabilities(low) + 1e-12).all()
    assert (np.diff(curve.probabilities(np.linspace(-6, 6, 500))) >= -1e-12).all()


@pytest.mark.parametrize("curve", [Calibration(), Calibration(0.5, 2, 40, 1.0), Calibration(3, -4, 40, 0.5)])
def test_the_least_logit_is_where_a_probability_is_reached(curve: Calibration) -> None:
    asked = np.array([0.1, 0.5, 0.6, 0.9, 0.99])
    least = curve.least(asked)
    assert (curve.probabilities(least + 1e-6) >= asked).all()
    assert (curve.probabilities(least - 1e-6) < asked).all()
