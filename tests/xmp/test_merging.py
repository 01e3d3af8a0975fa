"""Which fields hold what after a merge, for each program that reads them (truth/metadata.md, section 1)."""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tigertag.model import fold
from tigertag.xmp.fields import (
    Field,
    Fields,
    Profile,
    Tag,
    Way,
    is_stale,
    leaf,
    leaves,
    own_caption,
    shown,
    value_of,
)
from tigertag.xmp.merging import Edit, made, merged

S, T, H, L, C, IPTC = Field
LIGHTROOM_USER = Fields(
    {S: ("beach", "Paris", "Anna"), H: ("beach", "Travel|France|Paris", "People|Anna")}, caption="At the sea"
)
ALL = Way()
DOG = Tag("dog", ("animal",), ("imagga",))
ODD = (
    *("a, b", 'say "no"', "semi;colon", "100% & more", "<b>", "🐕‍🦺 dog", "כלב", "كلب", "x" * 300, "AC/DC"),
    *("either|or", "  blanks  ", "café", "cafe\u0301 2", "∕ already"),
)


def added(now: Fields, *tags: Tag, way: Way = ALL) -> Fields:
    return merged(now, Edit(tags), way)


def removed(now: Fields, *names: str, way: Way = ALL) -> Fields:
    return merged(now, Edit(remove=names), way)


def taken_out(now: Fields, each: Field, *values: str) -> Fields:
    """A person takes values out of one field with a program that knows no other."""
    left = {one: tuple(v for v in now.of(one) if one is not each or v not in values) for one in Field}
    return Fields({one: found for one, found in left.items() if found}, now.caption, now.provenance)


# ── what each program takes first ─────────────────────────────────────────────────────────────────────────


ALL_NAMES = {"beach", "paris", "anna", "dog"}


def test_digikam_and_immich_find_the_whole_list_in_tags_list_with_every_leaf_under_its_path() -> None:
    """Rule 1: TagsList is read first by both, and Immich looks at no other field (Immich#28015, #12204)."""
    after = added(LIGHTROOM_USER, DOG)
    assert after.of(T) == ("beach", "Travel/France/Paris", "People/Anna", "animal/dog")


def test_lightroom_finds_the_whole_list_in_both_of_its_fields() -> None:
    """The table: Lightroom ignores TagsList, reads HierarchicalSubject and dc:subject."""
    after = added(LIGHTROOM_USER, DOG)
    assert after.of(H) == ("beach", "Travel|France|Paris", "People|Anna", "animal|dog")
    assert after.of(S) == ("beach", "Paris", "Anna", "dog")


def test_photoprism_and_synology_find_the_whole_list_in_dc_subject() -> None:
    """Rule 9: in PhotoPrism a sidecar's field is the only source of that field."""
    digikam_user = Fields({T: ("beach", "People/Anna")})
    assert leaves(S, added(digikam_user, DOG).of(S)) == {"beach", "anna", "dog"}


def test_windows_and_media_pro_find_it_in_theirs() -> None:
    after = added(LIGHTROOM_USER, DOG)
    assert after.of(L)[-1] == "animal/dog" and leaves(L, after.of(L)) == ALL_NAMES
    assert after.of(C)[-1] == "animal|dog" and leaves(C, after.of(C)) == ALL_NAMES


@pytest.mark.parametrize("profile", get_args(Profile))
def test_every_field_of_every_profile_holds_the_whole_list(profile: Profile) -> None:
    way = Way(profile)
    after = added(LIGHTROOM_USER, DOG, way=way)
    assert {each: leaves(each, after.of(each)) for each in way.fields} == dict.fromkeys(way.fields, ALL_NAMES)


def test_lightroom_alone_gets_no_fields_that_it_does_not_read() -> None:
    assert added(LIGHTROOM_USER, DOG, way=Way("lightroom")).values.keys() == {S, H}


def test_ours_stand_under_one_parent_where_a_root_is_asked_for() -> None:
    after = added(LIGHTROOM_USER, DOG, Tag("grass"), way=Way(root="Auto"))
    assert after.of(T)[-2:] == ("Auto/animal/dog", "Auto/grass")
    assert after.of(S)[-2:] == ("dog", "grass")


def test_a_long_keyword_is_left_out_of_iptc_and_never_cut() -> None:
    """The table: IPTC holds 64 bytes a keyword; MWG.pm cuts."""
    after = added(Fields(), Tag("x" * 65), Tag("dog"), way=Way(iptc=True))
    assert after.of(IPTC) == ("dog",) and "x" * 65 in after.of(S)


def test_no_separator_stands_inside_a_name_in_any_field() -> None:
    """Rule 2: Immich turns `/` into `|` when it splits."""
    after = added(Fields(), Tag("AC/DC"), Tag("either|or"))
    assert not any(sign in value for each in Field for value in after.of(each) for sign in "/|")
    assert shown(after) == ("AC/DC", "either|or")


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_as_they_were_given_and_go_again(name: str) -> None:
    after = added(LIGHTROOM_USER, Tag(name))
    assert fold(name) in map(fold, shown(after))
    assert removed(after, name) == LIGHTROOM_USER


# ── what a person does between two runs ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("each", [S, T, H, L, C])
def test_a_tag_taken_out_of_one_field_is_gone_though_other_programs_still_show_it(each: Field) -> None:
    after = added(LIGHTROOM_USER, DOG)
    without = taken_out(after, each, value_of(each, ("animal", "dog")))
    assert "dog" not in shown(without) and is_stale(without)
    tidy = merged(without, Edit(), Way())
    assert not is_stale(tidy)
    assert not any("dog" in leaves(one, tidy.of(one)) for one in Field)


def test_a_tag_that_a_person_moved_to_another_parent_is_still_there_and_not_moved_back() -> None:
    after = added(Fields(), DOG)
    moved = Fields({**after.values, H: ("Pets|dog",)}, provenance=after.provenance)
    assert shown(moved) == ("dog",) and not is_stale(moved)
    assert merged(moved, Edit(), Way()).of(H) == ("Pets|dog",)
    assert removed(moved, "dog") == Fields({H: ("Pets|dog",)})


def test_what_we_carried_over_goes_with_the_field_it_came_from() -> None:
    after = added(LIGHTROOM_USER, DOG)
    without = taken_out(taken_out(after, S, "beach"), H, "beach")
    assert "beach" not in shown(without) and is_stale(without)
    assert "beach" not in merged(without, Edit(), Way()).of(T)


def test_what_we_carried_over_and_a_person_took_away_is_not_carried_again() -> None:
    after = added(LIGHTROOM_USER, DOG)
    without = taken_out(after, T, "beach")
    assert "beach" in shown(without)
    again = merged(without, Edit((Tag("grass"),)), Way())
    assert "beach" not in again.of(T) and "beach" in again.of(S)
    assert removed(again, "dog", "grass") == LIGHTROOM_USER


def test_a_tag_of_a_user_is_never_claimed() -> None:
    after = added(LIGHTROOM_USER, Tag("Beach"), DOG)
    assert "beach" not in after.ours
    assert removed(after, "dog", "Beach").of(S) == LIGHTROOM_USER.of(S)


def test_a_tag_whose_record_was_lost_can_still_be_removed() -> None:
    """A program that drops foreign namespaces drops ours; the ledger still knows the tag."""
    way = Way(root="Auto")
    lost = Fields(added(Fields({S: ("Holiday",)}), Tag("dog"), way=way).values)
    assert "dog" not in shown(removed(lost, "dog", way=way))
    assert "Holiday" in shown(removed(lost, "dog", way=way))


def test_the_tags_of_the_picture_file_are_carried_into_its_sidecar_and_go_with_our_last() -> None:
    """Rule 9: what the sidecar lists hides what the file itself holds."""
    embedded = Fields({IPTC: ("Holiday",), H: ("People|Ada",)})
    after = merged(Fields(), Edit((DOG,)), Way(), embedded)
    assert set(after.of(T)) == {"Holiday", "People/Ada", "animal/dog"}
    assert shown(after) == ("dog",) and not is_stale(after)
    assert merged(after, Edit(remove=("dog",)), Way(), embedded) == Fields()


# ── captions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_caption_is_written_where_there_is_none_and_goes_with_our_last_tag() -> None:
    after = merged(Fields(), Edit((DOG,), caption="A dog on grass"), Way())
    assert after.caption == own_caption(after) == "A dog on grass"
    assert merged(after, Edit(caption="Two dogs"), Way()).caption == "Two dogs"
    assert removed(after, "dog") == Fields()


def test_a_caption_that_a_person_wrote_changed_or_deleted_is_theirs() -> None:
    assert merged(LIGHTROOM_USER, Edit((DOG,), caption="A dog"), Way()).caption == "At the sea"
    ours = merged(Fields(), Edit((DOG,), caption="A dog"), Way())
    for theirs in ("My dog", ""):
        changed = Fields(ours.values, theirs, ours.provenance)
        assert own_caption(changed) is None
        assert merged(changed, Edit(caption="A dog"), Way()).caption == theirs


# ── for all of them ───────────────────────────────────────────────────────────────────────────────────────


def _values(each: Field, paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value_of(each, path) for path in paths))


NAMES = st.sampled_from(["dog", "Dog", "beach", "Paris", "AC/DC", "x", "people"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
STATES = st.fixed_dictionaries(
    {each: st.lists(PATHS, max_size=3).map(partial(_values, each)) for each in Field}
).map(lambda values: Fields({each: found for each, found in values.items() if found}))
TAGS = st.lists(st.builds(Tag, NAMES, st.lists(NAMES, max_size=2).map(tuple)), max_size=3)
WAYS = st.builds(Way, st.sampled_from(get_args(Profile)), st.sampled_from(["", "Auto"]), iptc=st.booleans())


@settings(max_examples=200, deadline=None)
@given(STATES, TAGS, WAYS, WAYS)
def test_taking_out_all_of_ours_gives_back_what_was_there(
    now: Fields, tags: list[Tag], way: Way, later: Way
) -> None:
    after = merged(made(merged(now, Edit(tuple(tags)), way)), Edit(), later)
    assert {fold(name) for name in shown(after)} >= {
        fold(leaf(each, v)) for each in Field for v in now.of(each)
    }
    assert removed(after, *after.ours, way=later) == now


@settings(max_examples=200, deadline=None)
@given(STATES, TAGS, WAYS)
def test_twice_is_once(now: Fields, tags: list[Tag], way: Way) -> None:
    once = merged(now, Edit(tuple(tags)), way)
    assert merged(once, Edit(tuple(tags)), way) == once
    assert not is_stale(once)
