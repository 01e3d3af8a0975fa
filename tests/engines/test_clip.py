"""The clip engine: models of each family in folders, what they say of drawn pictures, what can be wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from tests.engines import clip_models
from tests.engines.clip_models import COLOURS, FAMILIES
from tests.engines.drawn import bars, photo
from tests.formats import film
from tests.pictures import draw
from tigertag.contract.engine import Bench, EngineContract, ask, said
from tigertag.contract.stand_ins import FakeMemory, photos
from tigertag.engines.clip import ClipEngine, ClipOptions, facts, files
from tigertag.engines.clip.facts import Pixels
from tigertag.engines.clip.pixels import Floats, numbers, prepared, rendition_for
from tigertag.engines.clip.towers import Towers, unit
from tigertag.errors import PhotoError, PluginDown
from tigertag.meaning.packing import bytes_of, pack
from tigertag.media import open_photo
from tigertag.media.strip import frames_of
from tigertag.model import JSON, Analysis, Kind, Photo, fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return clip_models.make(tmp_path / "model")


def engine(folder: Path, **options: object) -> ClipEngine:
    return ClipEngine(ClipOptions.model_validate({"model": str(folder), **options}), FakeMemory())


def vector(value: JSON) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.frombuffer(bytes_of(value), "<f2").astype(np.float32)


def seen(found: ClipEngine, shown: Sequence[Photo]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The vectors of photos, by rows."""
    rows = []
    for one in said(ask(found, shown)).values():
        (annotation,) = one
        assert annotation.kind is Kind.EMBEDDING
        rows.append(vector(annotation.value))
    return np.stack(rows)


class TestClip(EngineContract):
    @pytest.fixture
    def bench(self, folder: Path) -> Bench:
        return Bench(ClipEngine, options={"model": str(folder)})


# ---- each family ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_names_the_colour_that_it_sees(tmp_path: Path, family: str) -> None:
    found = engine(clip_models.make(tmp_path / "model", FAMILIES[family]))
    found.start()
    shown = [photo(bars((f"rgb{rgb}", 300)), f"{name}.png") for name, rgb in COLOURS.items()]
    words = np.stack([vector(each) for each in found.understand([f"a photo of {name}" for name in COLOURS])])
    assert (seen(found, shown) @ words.T).argmax(axis=1).tolist() == list(range(len(COLOURS)))


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_have_length_one(tmp_path: Path, family: str) -> None:
    found = engine(clip_models.make(tmp_path / "model", FAMILIES[family]))
    found.start()
    lengths = np.linalg.norm(seen(found, photos(3)), axis=1)
    assert lengths == pytest.approx([1, 1, 1], abs=2e-3)


def test_a_batch_says_what_its_photos_say_one_by_one(folder: Path) -> None:
    shown = photos(5)
    together, alone = engine(folder, batch=4), engine(folder, batch=1)
    together.start()
    alone.start()
    assert np.allclose(seen(together, shown), seen(alone, shown), atol=1e-3)


def test_a_video_lies_in_the_middle_of_its_frames(folder: Path) -> None:
    scenes = [bars((f"rgb{rgb}", 200), ("black", 100)) for rgb in list(COLOURS.values())[:3]]
    found = engine(folder, batch=2)
    found.start()
    with open_photo(io.BytesIO(film(scenes, each=24)), "a.mp4") as opened:
        shown = [one.jpeg(found.renditions[0]) for one in frames_of(opened, found.renditions[0])]
        still = photo(scenes[0], "b.png")
        row, beside = seen(found, [opened, still])
    frames = seen(found, [photo(Image.open(io.BytesIO(one)), f"{n}.png") for n, one in enumerate(shown)])
    middle = frames.mean(axis=0)
    assert len(frames) > 2
    assert row == pytest.approx(middle / np.linalg.norm(middle), abs=5e-3)
    assert beside == pytest.approx(seen(found, [still])[0], abs=2e-3)


def test_another_model_is_another_revision(tmp_path: Path) -> None:
    one, other = (clip_models.make(tmp_path / str(seed), seed=seed) for seed in (0, 1))
    assert fingerprint(engine(one).settings) != fingerprint(engine(other).settings)


def test_threads_and_batches_make_no_revision(folder: Path) -> None:
    plain = fingerprint(engine(folder).settings)
    assert plain == fingerprint(engine(folder, batch=2, threads=2, provider="cpu", words="general").settings)


def test_a_file_that_changes_makes_a_revision_though_digests_are_remembered(folder: Path) -> None:
    before = fingerprint(engine(folder).settings)
    config = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(config | {"resample": 2}) + " ")
    assert fingerprint(engine(folder).settings) != before


def test_digests_are_remembered_by_size_and_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = files.find(folder, "").digests()

    def no(path: Path) -> str:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(files, "_sha256", no)
    assert files.find(folder, "").digests() == first


# ---- preprocessing ----------------------------------------------------------------------------------------

CLIP_PIXELS = Pixels(
    224, None, (224, 224), 3, 1 / 255, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
)


def reference(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """CLIP's own preprocessing, written down plainly: scale, cut, divide, shift."""
    width, height = picture.size
    scale = 224 / min(width, height)
    size = (224, int(height * 224 / width)) if width <= height else (int(width * 224 / height), 224)
    assert abs(max(size) - max(width, height) * scale) < 1
    small = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (small.width - 224) // 2, (small.height - 224) // 2
    values = np.asarray(small.crop((left, top, left + 224, top + 224)), np.float64) / 255
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    return ((values - mean) / std).transpose(2, 0, 1)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (333, 777), (224, 224), (100, 50)])
def test_pixels_are_those_of_the_reference(size: tuple[int, int]) -> None:
    picture = draw(3, size=size)
    assert np.abs(numbers(picture, CLIP_PIXELS, size) - reference(picture)).max() < 1e-5


@pytest.mark.parametrize("size", [(1600, 1200), (900, 1350), (1800, 1139), (1139, 1800)])
def test_a_rendition_changes_pixels_little(size: tuple[int, int]) -> None:
    """Of 2.0 in the model's numbers, which is about half of the range from black to white."""
    picture = draw(5, size=size)
    made = prepared(photo(picture).jpeg(rendition_for(CLIP_PIXELS)), CLIP_PIXELS, size)
    difference = np.abs(made - reference(picture)) * 0.27 * 255
    assert difference.mean() < 1.5 and difference.max() < 40
    rows = [made.reshape(1, -1), reference(picture).astype(np.float32).reshape(1, -1)]
    assert (unit(rows[0]) @ unit(rows[1]).T).item() > 0.999


def test_a_square_size_takes_the_whole_picture(tmp_path: Path) -> None:
    known = facts.read(files.find(clip_models.make(tmp_path, clip_models.SIGLIP), ""))
    assert known.pixels.size == (32, 32) and known.pixels.crop is None
    assert numbers(draw(1, size=(300, 100)), known.pixels, (300, 100)).shape == (3, 32, 32)


def test_a_model_without_mean_keeps_fractions(tmp_path: Path) -> None:
    known = facts.read(files.find(clip_models.make(tmp_path, clip_models.MOBILE), ""))
    made = numbers(Image.new("RGB", (64, 64), "white"), known.pixels, (64, 64))
    assert made.min() == made.max() == pytest.approx(1)


# ---- what can be wrong ------------------------------------------------------------------------------------


def down(found: ClipEngine) -> str:
    with pytest.raises(PluginDown) as caught:
        found.start()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["onnx/text_model.onnx", "onnx/vision_model.onnx", "tokenizer.json", "preprocessor_config.json"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"lacks {name}" in down(engine(folder)) and str(folder) in down(engine(folder))
    (finding,) = engine(folder).check()
    assert not finding.ok and name in finding.text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none'} is no folder" in down(engine(tmp_path / "none"))


@pytest.mark.parametrize("tower", ["vision", "text"])
def test_a_damaged_tower_is_named(folder: Path, tower: str) -> None:
    path = folder / "onnx" / f"{tower}_model.onnx"
    path.write_bytes(path.read_bytes()[:100])
    found = engine(folder)
    if tower == "vision":
        assert str(path) in down(found)
        return
    found.start()  # photos can be looked at, words cannot
    with pytest.raises(PluginDown, match="text_model"):
        found.understand(["a dog"])


@pytest.mark.parametrize("model_type", ["bert", "chinese_clip", ""])
def test_a_model_of_another_family_is_refused_by_name(folder: Path, model_type: str) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    assert (model_type or "no family") in down(engine(folder))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model_type": "clip", "text_config": 3}'])
def test_a_damaged_configuration_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    assert str(folder) in down(engine(folder))


def test_a_tower_that_asks_for_more_is_refused(folder: Path) -> None:
    """Such as SigLIP 2 for any size, which wants to know where each patch lies."""
    path = folder / "onnx" / "vision_model.onnx"
    model = onnx.load(path)
    model.graph.input.append(
        onnx.helper.make_tensor_value_info("spatial_shapes", onnx.TensorProto.INT64, ["batch", 2])
    )
    onnx.save(model, path)
    assert "asks for spatial_shapes" in down(engine(folder))


def test_a_model_for_any_size_is_refused_with_another_to_take(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "siglip2"}))
    naflex = {"do_resize": True, "max_num_patches": 256, "patch_size": 16, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(naflex))
    reason = down(engine(folder))
    assert str(folder) in reason and "any size (NaFlex)" in reason and "siglip2-base-patch16-224" in reason


def test_towers_that_were_mixed_up_are_refused(folder: Path) -> None:
    vision, text = folder / "onnx" / "vision_model.onnx", folder / "onnx" / "text_model.onnx"
    vision.write_bytes(text.read_bytes())
    assert "asks for attention_mask, input_ids" in down(engine(folder))


def test_a_provider_that_is_not_there_is_named(folder: Path) -> None:
    assert "cannot run on cuda: the onnxruntime that is installed has cpu" in down(
        engine(folder, provider="cuda")
    )


def test_a_photo_that_the_model_makes_nothing_of_fails_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = engine(folder)
    found.start()
    images = Towers.images

    def second_is_no_number(self: Towers, pixels: Sequence[Floats]) -> Floats:
        rows = images(self, pixels).copy()
        rows[1] = np.nan
        return rows

    monkeypatch.setattr(Towers, "images", second_is_no_number)
    first, second, third = ask(found, photos(3))
    assert isinstance(first, Analysis) and isinstance(third, Analysis)
    assert isinstance(second, PhotoError) and "makes nothing of Summer/1.jpg" in str(second)


# ---- vectors on their way ---------------------------------------------------------------------------------


def test_a_vector_comes_back_as_half_floats() -> None:
    assert vector(pack([0.5, -1.0, 0.1])).tolist() == pytest.approx([0.5, -1, 0.1], abs=1e-4)
    assert bytes_of([0.5, -1, 0.1]) == bytes_of(pack([0.5, -1.0, 0.1]))


@pytest.mark.parametrize("value", ["", "x", "AA==", [], ["a"], None, 3, {"a": 1}, [1e9]])
def test_what_is_no_vector_is_refused(value: JSON) -> None:
    with pytest.raises(ValueError, match="vector"):
        bytes_of(value)
