"""Archives that are damaged, encrypted, or made to do harm: the bad is named, the good is read (Z1–Z6)."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import archives
from tests.archives import KINDS, Files, number, packed, tarred, with_field, zipped
from tigertag.contract.source import picture
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import PhotoError
from tigertag.sources import archive_limits, archive_tree
from tigertag.sources.archive import ArchiveOptions, ArchiveSource

GOOD, BAD = picture(1, size=(200, 150)), picture(2, size=(200, 150))


def outcomes(path: Path) -> dict[str, bytes | str]:
    """What became of each item: its bytes, or what is said of it."""
    source = ArchiveSource(ArchiveOptions.model_validate({"path": path}), FakeMemory())
    found: dict[str, bytes | str] = {}
    try:
        for item in source.items():
            try:
                with source.open(item) as file:
                    found[item.path] = file.read()
            except PhotoError as error:
                found[item.path] = str(error)
                assert str(error).startswith(item.path) and "\n" not in str(error)
    finally:
        source.close()
    return found


@pytest.fixture
def trip(tmp_path: Path) -> Path:
    return tmp_path / "trip.zip"


def of(content: bytes, path: Path) -> dict[str, bytes | str]:
    path.write_bytes(content)
    return outcomes(path)


def both(packed: bool = True) -> bytes:
    return zipped({"bad.jpg": BAD, "good.jpg": GOOD}, packed=packed)


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (archives.FLAGS, number(1, 2), "is encrypted"),
        (archives.METHOD, number(9, 2), "is packed in a way that TigerTag cannot read"),
        (archives.CHECKSUM, number(1), "is damaged (Bad CRC-32"),
        (archives.SIZE, number(len(BAD) - 7), "is damaged (Bad CRC-32"),
        (archives.SIZE, number(len(BAD) + 7), "ends early"),
        (archives.SIZE, number(0xFFFF_FF00), "is not unpacked"),
        (archives.PACKED, number(12), "is damaged"),
    ],
)
def test_a_bad_member_of_a_zip_is_named_and_the_good_one_is_read(
    trip: Path, offset: int, value: bytes, words: str
) -> None:
    found = of(with_field(both(), "bad.jpg", offset, value), trip)
    assert found["good.jpg"] == GOOD
    assert words in str(found["bad.jpg"])


def test_a_member_whose_data_is_damaged_is_named(trip: Path) -> None:
    content = bytearray(both())
    content[100] ^= 0xFF
    found = of(bytes(content), trip)
    assert found["good.jpg"] == GOOD
    assert "is damaged" in str(found["bad.jpg"])


def test_an_encrypted_archive_names_each_photo(trip: Path) -> None:
    content = with_field(both(), "bad.jpg", archives.FLAGS, number(1, 2))
    content = with_field(content, "good.jpg", archives.FLAGS, number(1, 2))
    assert set(of(content, trip).values()) == {"bad.jpg is encrypted", "good.jpg is encrypted"}


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_cut_archive_what_was_before_the_cut_is_read(kind: str, tmp_path: Path) -> None:
    noise = os.urandom(300_000)
    content = packed(kind, {"good.jpg": GOOD, "noise.bmp": noise, "never.jpg": BAD})
    found = of(content[: len(content) * 2 // 3], tmp_path / f"trip.{kind}")
    if kind in ("tar", "tar.gz"):
        assert found["good.jpg"] == GOOD
    said = [text for text in found.values() if isinstance(text, str)]
    assert said and all("ends early" in text for text in said)
    assert "never.jpg" not in found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inner", KINDS)
def test_a_damaged_archive_within_is_named_and_the_rest_is_read(kind: str, inner: str, tmp_path: Path) -> None:
    whole = packed(inner, {"a.jpg": BAD})
    cut = whole[: min(len(whole) // 2, 1000)]
    found = of(packed(kind, {f"in.{inner}": cut, "good.jpg": GOOD}), tmp_path / f"trip.{kind}")
    assert found["good.jpg"] == GOOD
    assert any(isinstance(text, str) and text.startswith(f"in.{inner}") for text in found.values())


@pytest.mark.parametrize("content", [b"", b"text, not an archive", b"PK\x03\x04", b"\x1f\x8b\x08", bytes(2000)])
def test_what_is_no_archive_is_named(content: bytes, trip: Path) -> None:
    (said,) = of(content, trip).values()
    assert str(said).startswith("trip.zip ")


# ── made to do harm ───────────────────────────────────────────────────────────────────────────────────────


NAMES = ["../../escaped.jpg", "/escaped.jpg", "a/../../escaped.jpg", "C:\\escaped.jpg", "..\\escaped.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_lead_out_write_nothing_and_are_only_names(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    files: Files = {name: picture(40 * each) for each, name in enumerate(NAMES)}
    found = of(packed(kind, files), folder / f"trip.{kind}")
    assert sorted(found.values(), key=str) == sorted(
        (picture(40 * each) for each in range(len(NAMES))), key=str
    )
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"trip.{kind}"]
    assert not Path("/escaped.jpg").exists()


def test_a_member_without_a_name_is_read_as_any_other(trip: Path) -> None:
    """What comes behind a NUL is no part of a name; here nothing comes before it."""
    found = of(both().replace(b"bad.jpg", b"\0ad.jpg"), trip)
    assert found == {"trip.zip": BAD, "good.jpg": GOOD}


def test_links_in_a_zip_are_not_followed(trip: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert of(out.getvalue(), trip) == {}


def test_a_file_that_would_become_much_larger_is_not_unpacked(trip: Path) -> None:
    found = of(zipped({"bomb.bmp": bytes(300 << 20), "good.jpg": GOOD}), trip)
    assert found["good.jpg"] == GOOD
    assert "is not unpacked: " in str(found["bomb.bmp"])


def test_members_that_share_their_bytes_are_too_many_together(
    trip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_limits, "RATIO_FROM", 1 << 20)
    found = of(zipped({f"{each}.bmp": bytes(90_000) for each in range(50)}), trip)
    assert "is not read: " in str(found["trip.zip"])


def test_a_bomb_in_many_archives_within_is_one_bomb(trip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "RATIO_FROM", 1 << 20)
    inner = zipped({f"{each}.bmp": bytes(90_000) for each in range(8)})
    found = of(zipped({"good.jpg": GOOD} | {f"{each}.zip": inner for each in range(9)}), trip)
    assert found["good.jpg"] == GOOD
    assert sum(isinstance(content, bytes) for content in found.values()) <= 12
    assert "8.zip is not read on: " in str(found["8.zip"])


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_tar_that_would_become_much_larger_is_not_unpacked_to_its_end(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_limits, "RATIO_FROM", 1 << 20)
    found = of(packed(kind, {"bomb.bmp": bytes(8 << 20), "more.jpg": GOOD}), tmp_path / f"trip.{kind}")
    assert "is not unpacked to its end: " in str(found[f"trip.{kind}"])


def test_archives_within_archives_are_looked_into_so_deep_and_no_deeper(trip: Path) -> None:
    content = GOOD
    for depth in range(6):
        content = zipped({f"{depth}.zip" if depth else "a.jpg": content, "good.jpg": picture(depth)})
    found = of(content, trip)
    assert [text for text in found.values() if isinstance(text, str)] == [
        "5.zip/4.zip/3.zip is not looked into: it lies in 3 others"
    ]
    assert found["good.jpg"] == picture(5)


def test_an_archive_of_too_many_files_is_read_up_to_the_limit(
    trip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_tree, "Budget", lambda: archive_limits.Budget(members=3))
    found = of(zipped({f"{each}.jpg": GOOD for each in range(5)}), trip)
    assert list(found.values())[:3] == [GOOD, GOOD, GOOD]
    assert "trip.zip holds too much" in str(found["trip.zip"])
    inner = zipped({f"{each}.jpg": GOOD for each in range(5)})
    assert "in.zip holds too much" in str(of(zipped({"in.zip": inner}), trip))


def test_archives_within_are_not_unpacked_without_end(trip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_tree, "Budget", lambda: archive_limits.Budget(nested=2000))
    inner = zipped({"a.jpg": GOOD}, packed=False)
    found = of(zipped({f"{each}.zip": inner for each in range(9)}), trip)
    assert "holds too much" in str(found["trip.zip"])


def test_a_table_of_contents_that_is_too_large_is_not_read(trip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tigertag.sources.archive_zip.MOST_DIRECTORY", 1 << 17)
    found = of(zipped({f"{each:0200}.jpg": b"" for each in range(1000)}), trip)
    assert "its table of contents is too large" in str(found["trip.zip"])


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("packing", [lambda data: data, gzip.compress])
def test_a_header_without_end_is_not_read(kind: bytes, packing: type[bytes], tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 64 << 20
    content = tarred({"good.jpg": GOOD})[: 512 + (len(GOOD) + 511) // 512 * 512] + info.tobuf()
    found = of(packing(content + bytes(1 << 20)), tmp_path / "trip.tar")
    assert found["good.jpg"] == GOOD
    assert "is damaged (a member's header is too large)" in str(found["trip.tar"])


def test_a_gap_in_a_tar_is_not_read_as_a_photo(tmp_path: Path) -> None:
    info = tarfile.TarInfo("holes.jpg")
    info.type = tarfile.GNUTYPE_SPARSE
    content = info.tobuf() + tarred({"good.jpg": GOOD})
    found = of(content, tmp_path / "trip.tar")
    assert found["good.jpg"] == GOOD
    assert "holes" in str(found["holes.jpg"])


def test_an_xz_file_that_wants_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tigertag.sources.archive_unpack._MOST_WINDOW", 1 << 20)
    found = of(tarred({"a.jpg": GOOD}, "xz"), tmp_path / "trip.tar.xz")
    assert "of memory" in str(found["trip.tar.xz"])


def test_archives_written_one_after_the_other_are_one(tmp_path: Path) -> None:
    whole = tarred({"a.jpg": GOOD, "b.jpg": BAD})
    content = gzip.compress(whole[:700]) + gzip.compress(whole[700:]) + bytes(100)
    assert of(content, tmp_path / "trip.tgz") == {"a.jpg": GOOD, "b.jpg": BAD}


WHOLE = {kind: packed(kind, {"a.jpg": picture(1), "in.zip": zipped({"b.jpg": picture(2)})}) for kind in KINDS}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_anywhere_is_named_or_nothing(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    of(bytes(content), tmp_path_factory.getbasetemp() / f"damaged.{kind}")


def test_a_raw_stream_of_zeros_costs_no_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    content = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    assert of(content, tmp_path / "trip.tar.gz") == {}, "two blocks of zeros are the end of a tar"
