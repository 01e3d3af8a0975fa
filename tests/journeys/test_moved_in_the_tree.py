"""A vocabulary whose tree changes: programs that show a tree show the new one, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.test_plex_and_xmp import PHOTOS, Home, home
from tigertag.xmp.fields import Field, Fields

__all__ = ["home"]

BEFORE = "tags: {landscape: {parent: view}, portrait: {parent: view}, square: {parent: view}}\n"
DEEPER = BEFORE.replace("view", "shape").replace("}}", "}, shape: {parent: form}}")
FLAT = "tags: {}\n"


@pytest.fixture
def grown(home: Home) -> Iterator[Home]:
    """After a scan by a vocabulary with a tree, with a keyword of the owner's in the same place of it."""
    home.settings["ENGINE_METADATA_WORDS"] = "orientation"
    (home.folder / "vocabulary.yaml").write_text(BEFORE)
    home.ok("scan")
    adds(home, 0, {Field.TAGS_LIST: "view/Grandma", Field.HIERARCHY: "view|Grandma", Field.SUBJECT: "Grandma"})
    home.plex.forget_requests()
    yield home


def adds(home: Home, number: int, more: dict[Field, str]) -> None:
    packet = home.packet(number)
    now = packet.fields()
    values = {each: (*now.of(each), *([more[each]] if each in more else [])) for each in Field}
    packet.apply(Fields({each: kept for each, kept in values.items() if kept}, now.caption, now.provenance))
    (home.pictures / f"IMG_{number}.jpg.xmp").write_bytes(packet.to_bytes())


def trees(home: Home, number: int) -> tuple[set[str], set[str]]:
    fields = home.packet(number).fields()
    return set(fields.of(Field.TAGS_LIST)), set(fields.of(Field.HIERARCHY))


def test_the_tree_follows_the_vocabulary_and_plex_is_not_edited_for_it(grown: Home) -> None:
    (tag,) = grown.beside(1)
    assert trees(grown, 1) == ({f"view/{tag}"}, {f"view|{tag}"})
    for vocabulary, path in ((DEEPER, ("form", "shape", tag)), (FLAT, (tag,)), (BEFORE, ("view", tag))):
        (grown.folder / "vocabulary.yaml").write_text(vocabulary)
        assert f"~{'/'.join(path)}" in grown.ok("write", "--dry-run")
        assert grown.ok("write").startswith("Done: 3 tags moved in the tree.")
        for _ in range(2):
            grown.ok("write", "--verify")
            mine = grown.beside(0) - {"Grandma"}
            assert trees(grown, 1) == ({"/".join(path)}, {"|".join(path)})
            own = ("/".join((*path[:-1], *mine)), "|".join((*path[:-1], *mine)))
            assert trees(grown, 0) == ({"view/Grandma", own[0]}, {"view|Grandma", own[1]})
            assert grown.packet(1).fields().of(Field.SUBJECT) == (tag,)
    assert grown.plex.counts()["edit"] == 0
    assert grown.plex.damage() == []


def test_an_undo_takes_a_tag_out_wherever_it_lies_now_and_leaves_the_owners(grown: Home) -> None:
    (grown.folder / "vocabulary.yaml").write_text(DEEPER)
    grown.ok("write")
    grown.ok("undo", "--all", "--yes")
    assert trees(grown, 0) == ({"view/Grandma"}, {"view|Grandma"})
    assert [grown.beside(number) for number in range(PHOTOS)] == [{"Grandma"}, set(), set()]


def test_what_the_owner_moved_stays_where_the_owner_moved_it(grown: Home) -> None:
    packet = grown.packet(1)
    now = packet.fields()
    (tag,) = grown.beside(1)
    values = {**now.values, Field.TAGS_LIST: (f"Mine/{tag}",), Field.HIERARCHY: (f"Mine|{tag}",)}
    packet.apply(Fields(values, now.caption, now.provenance))
    (grown.pictures / "IMG_1.jpg.xmp").write_bytes(packet.to_bytes())
    (grown.folder / "vocabulary.yaml").write_text(DEEPER)
    grown.ok("write")
    assert trees(grown, 1) == ({f"Mine/{tag}"}, {f"Mine|{tag}"})
