from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.targets.plex_wall import PATIENT, PlexWall, hung, write
from tigertag.contract.target import KeepingTargetContract, Wall, change, folded
from tigertag.errors import ItemError, ItemGone, Unreachable
from tigertag.model import Change, Item, Presence, Shown, Written, fold
from tigertag.targets.plex import PlexTarget
from tigertag.targets.plex_edits import needed


@pytest.fixture
def wall(request: pytest.FixtureRequest) -> Iterator[PlexWall]:
    """Nobody's tags and locks may be harmed, but by a server that does it by itself."""
    with hung() as wall:
        yield wall
        if "harmful" not in request.node.name:
            assert wall.plex.damage() == []


class TestPlexIsATarget(KeepingTargetContract):
    @pytest.fixture
    def wall(self, wall: PlexWall) -> Wall:
        return wall


# What reading and writing cost.


def test_200_photos_with_one_tag_cost_one_edit_and_three_reads(wall: PlexWall) -> None:
    items = wall.many(200, ["Holiday"])
    wall.is_known()
    assert len(write(wall.target(pace=PATIENT), items, add=["dog"])) == 200
    assert wall.plex.counts() == {"connect": 1, "read": 2, "edit": 1}


def test_reading_takes_one_request_for_400_photos(wall: PlexWall) -> None:
    items = wall.many(401)
    assert len(list(wall.target(pace=PATIENT).read(items))) == 401
    assert wall.plex.counts()["read"] == 2


@pytest.mark.parametrize("by", ["set", "tag"])
def test_edits_go_by_change_set_or_by_tag_whichever_needs_fewer(wall: PlexWall, by: str) -> None:
    items, target = wall.many(64), wall.target(pace=PATIENT)
    wall.is_known()
    names = [f"tag{bit}" for bit in range(6)]
    if by == "set":  # two sets of many tags
        wanted = [tuple(names[:3]) if n % 2 else tuple(names[3:]) for n in range(64)]
    else:  # 63 sets of six tags
        wanted = [tuple(name for bit, name in enumerate(names) if n >> bit & 1) for n in range(64)]
    list(target.write([Change(item, add=tags) for item, tags in zip(items, wanted, strict=True)]))
    assert wall.plex.counts()["edit"] == (2 if by == "set" else 6)
    assert [folded(wall.tags(item)) for item in items] == [set(tags) for tags in wanted]


def test_an_edit_concerns_at_most_a_batch_and_its_url_stays_short(wall: PlexWall) -> None:
    tags = [f"quite a long tag for a photo number {number}" for number in range(40)]
    write(wall.target(pace=PATIENT), wall.many(250), add=tags)
    edits = [request.url for request in wall.plex.requests if request.kind == "edit"]
    assert max(map(len, edits)) < 4096
    assert max(url.partition("&")[0].count("%2C") + 1 for url in edits) <= 200


def test_what_is_there_already_sends_no_edit(wall: PlexWall) -> None:
    item, target = wall.item("a", ["Dog"]), wall.target()
    assert change(target, item, add=["dog"], remove=["cat"]) == ("Dog",)
    assert wall.plex.counts()["edit"] == 0


def test_a_tag_added_and_removed_at_once_stays(wall: PlexWall) -> None:
    item = wall.item("a", ["Dog"])
    assert change(wall.target(), item, add=["dog"], remove=["Dog"]) == ("Dog",)


@pytest.mark.parametrize("others", [(), ("Holiday",)], ids=["what adding does is unknown", "and known"])
def test_additions_are_never_seen_after_removals(wall: PlexWall, others: Sequence[str]) -> None:
    items, target = wall.many(30, others), wall.target()
    write(target, items, add=["old"])
    states: list[set[str]] = []
    for after in range(1, 40):
        wall.plex.before("edit", lambda: states.extend(folded(wall.tags(item)) for item in items), after)
    shown = {one.item.key: one.tags for one in target.read(items) if isinstance(one, Shown)}
    changes = [Change(i, (f"new{n % 3}", f"more{n % 5}"), ("Old",), shown[i.key]) for n, i in enumerate(items)]
    list(target.write(changes))
    assert states and all(state & {"old", "new0", "new1", "new2"} for state in states)


def test_photos_of_two_sections_are_edited_each_in_its_own(wall: PlexWall) -> None:
    first = wall.item("a")
    key = wall.plex.add_photo("", "b.jpg", b"x", section=wall.plex.add_section("Family"))
    second = wall.items()[str(key)]
    write(wall.target(), [first, second], add=["dog"])
    assert wall.tags(first) == wall.tags(second) == ["Dog"]


# Whose photo it is.


def test_a_photo_that_is_gone_is_said_to_be_gone(wall: PlexWall) -> None:
    here, gone = wall.item("here", ["Holiday"]), wall.item("gone")
    wall.plex.remove_photo(int(gone.key))
    found = {one.item.key: one for one in wall.target().read([here, gone]) if isinstance(one, Shown)}
    assert (found[here.key].tags, found[gone.key].presence) == (("Holiday",), Presence.GONE)


@pytest.mark.parametrize("what", ["size", "part", "file"])
def test_a_key_that_now_means_another_photo_is_told(wall: PlexWall, what: str) -> None:
    item = wall.item("a")
    photo = wall.plex.photos[int(item.key)]
    if what == "size":
        photo.size += 1
    elif what == "part":
        photo.part += 1
    else:
        photo.path += ".other.jpg"
    (found,) = wall.target().read([item])
    assert isinstance(found, Shown) and found.presence is Presence.OTHER


@pytest.mark.parametrize("rule", ["404", "ignored"])
def test_a_photo_that_goes_before_the_edit_spoils_nothing_for_the_others(wall: PlexWall, rule: str) -> None:
    wall.plex.rules.stale_key_in_edit = rule  # type: ignore[assignment]
    items = wall.many(20)
    wall.plex.before("edit", lambda: wall.plex.remove_photo(int(items[7].key)))
    outcomes = {one.item.key: one for one in write(wall.target(), items, add=["dog"])}
    assert isinstance(outcomes.pop(items[7].key), ItemGone)
    assert len(outcomes) == 19 and all(isinstance(one, Written) for one in outcomes.values())


@pytest.mark.parametrize(("times", "fate"), [(1, Written), (1_000, ItemError)])
def test_an_edit_that_is_not_found_for_a_photo_that_is_there_is_sent_once_more(
    wall: PlexWall, times: int, fate: type
) -> None:
    item = wall.item("a")
    wall.plex.fault("edit", "status", times, status=404)
    (outcome,) = write(wall.target(), [item], add=["dog"])
    assert type(outcome) is fate
    assert wall.plex.counts()["edit"] == 2


@pytest.mark.parametrize(("status", "again"), [(400, False), (413, True), (414, True)])
def test_only_what_plex_itself_refuses_is_given_up(wall: PlexWall, status: int, again: bool) -> None:
    """A proxy that takes no request of that size is mended some day."""
    wall.plex.fault("edit", "status", 1_000, status=status)
    (outcome,) = write(wall.target(), [wall.item("a")], add=["dog"])
    assert isinstance(outcome, ItemError) and outcome.again is again


def test_what_was_done_before_a_tag_was_refused_for_good_is_told(wall: PlexWall) -> None:
    wall.plex.rules.refuses = "too long"
    item = wall.item("a", ["Holiday"])
    (outcome,) = write(wall.target(), [item], add=["dog", "too long", "cat"])
    assert isinstance(outcome, ItemError)
    assert not outcome.again
    assert folded(outcome.shown or ()) == {"holiday", "dog", "cat"}
    assert "'too long'" in str(outcome) and "vocabulary.yaml" in str(outcome)


@pytest.mark.parametrize(("number", "are_gone"), [(4, True), (5, False)])
def test_all_photos_at_once_are_not_believed_to_be_gone(wall: PlexWall, number: int, are_gone: bool) -> None:
    items = wall.many(number)
    wall.plex.fault("read", "status", 1_000, status=404)
    if are_gone:
        found = list(wall.target().read(items))
        assert [one.presence for one in found if isinstance(one, Shown)] == [Presence.GONE] * number
    else:
        with pytest.raises(Unreachable, match=r"does not show the tags of photos \(404 for all 5"):
            wall.target().read(items)


def test_an_album_that_goes_before_its_edit_spoils_nothing_for_the_others(wall: PlexWall) -> None:
    items = wall.many(12)

    def delete() -> None:
        for item in items[:6]:
            wall.plex.remove_photo(int(item.key))

    wall.plex.before("edit", delete)
    wall.plex.rules.stale_key_in_edit = "404"
    changes = [Change(item, add=("gone",) if item in items[:6] else ("dog",)) for item in items]
    outcomes = {one.item.key: type(one) for one in wall.target().write(changes)}
    assert outcomes == {item.key: ItemGone if item in items[:6] else Written for item in items}


# Names.


def test_the_first_spelling_of_a_tag_is_the_same_tag(wall: PlexWall) -> None:
    wall.item("other", ["NASA"])
    item = wall.item("a")
    assert change(wall.target(), item, add=["nasa"]) == ("NASA",)
    assert change(wall.target(), item, remove=["nasa"]) == ()


def test_a_removal_with_a_comma_does_not_remove_its_halves(wall: PlexWall) -> None:
    item, target = wall.item("a", ["Dog", "Cat"]), wall.target()
    change(target, item, add=["dog,cat", "50%25"])
    change(target, item, remove=["Dog,cat", "50%25"])
    assert wall.tags(item) == ["Dog", "Cat"]


@pytest.mark.parametrize("name", ["two\nlines", "nul\0", "\t", "x" * 501, "lone \ud800"])
def test_a_name_that_would_not_come_back_is_refused_by_name_before_sending(wall: PlexWall, name: str) -> None:
    item, other = wall.item("a", ["Holiday"]), wall.item("b")
    outcomes = list(wall.target().write([Change(item, (name,), (), ("Holiday",)), Change(other, ("dog",))]))
    error = next(one for one in outcomes if isinstance(one, ItemError))
    assert not error.again
    assert ascii(name.strip())[:20] in str(error) and "a.jpg" in str(error) and "\n" not in str(error)
    assert (wall.tags(item), wall.tags(other)) == (["Holiday"], ["Dog"])


@pytest.mark.parametrize("name", ["é" * 300, "🐕" * 120])
def test_names_that_grow_in_a_url_are_stored_whole(wall: PlexWall, name: str) -> None:
    items = wall.many(3, ["Holiday"])
    write(wall.target(), items, add=[name, "dog"])
    assert all(folded(wall.tags(item)) == {fold(name), "dog", "holiday"} for item in items)
    write(wall.target(), items, remove=[wall.tags(items[0])[-1], wall.tags(items[0])[-2]])
    assert all(wall.tags(item) == ["Holiday"] for item in items)


# Anything in any order.

NAMES = st.sampled_from(["dog", "Dog, cat", "cat", "Holiday", "50% & more", "tti_x", "é", "🐕"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    users=st.lists(st.sets(NAMES), min_size=1, max_size=6),
    wanted=st.lists(st.tuples(st.sets(NAMES), st.sets(NAMES)), min_size=6, max_size=6),
    late=st.lists(st.tuples(st.integers(0, 5), NAMES), max_size=3),
)
def test_whatever_users_and_we_do_their_tags_stay_and_ours_arrive(
    wall: PlexWall, users: list[set[str]], wanted: list[tuple[set[str], set[str]]], late: list[tuple[int, str]]
) -> None:
    """`wanted` is what we put there first and then; users add `late` tags just before our second edit."""
    items, target = wall.many(len(users)), wall.target()
    for item, names in zip(items, users, strict=True):
        for name in sorted(names):
            wall.plex.user_add(int(item.key), name)
    _bring(target, items, [(first - theirs, set()) for (first, _), theirs in zip(wanted, users, strict=False)])
    late = [(at, name) for at, name in late if at < len(items) and name not in wanted[at][0] | wanted[at][1]]

    def user_is_late() -> None:
        for at, name in late:
            wall.plex.user_add(int(items[at].key), name)

    wall.plex.before("edit", user_is_late)
    moves = [
        (then - theirs, first - then - theirs) for (first, then), theirs in zip(wanted, users, strict=False)
    ]
    changed = _bring(target, items, moves)
    for at, (item, theirs) in enumerate(zip(items, users, strict=True)):
        extra = {name for spot, name in late if spot == at} if changed else set()
        assert folded(wall.tags(item)) == folded([*theirs, *wanted[at][1], *extra])
    wall.plex.forget_hooks()
    assert wall.plex.damage() == []


def _bring(target: PlexTarget, items: list[Item], moves: Sequence[tuple[set[str], set[str]]]) -> bool:
    """Whether anything was to be changed."""
    shown = {one.item.key: one.tags for one in target.read(items) if isinstance(one, Shown)}
    changes = [
        Change(item, tuple(sorted(add)), tuple(sorted(remove)), shown[item.key])
        for item, (add, remove) in zip(items, moves, strict=False)
    ]
    assert all(isinstance(one, Written) for one in target.write(changes))
    return any(needed(change).add or needed(change).remove for change in changes)
