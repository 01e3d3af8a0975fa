"""What a Plex target does for what belongs to users, and when things go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from tests.servers.plex import TOKEN, Rules
from tests.targets.plex_wall import PlexWall, hung, write
from tigertag.contract.target import change, folded
from tigertag.errors import ConfigError, ItemError, Unreachable
from tigertag.model import Change, Shown, Written


@pytest.fixture
def wall(request: pytest.FixtureRequest) -> Iterator[PlexWall]:
    """Nobody's tags and locks may be harmed, but by a server that does it by itself."""
    with hung() as wall:
        yield wall
        if "harmful" not in request.node.name:
            assert wall.plex.damage() == []


# The user's tags and locks.


def test_a_tag_a_user_adds_between_reading_and_writing_stays(wall: PlexWall) -> None:
    item = wall.item("a", ["Holiday"])
    wall.plex.before("edit", lambda: wall.plex.user_add(int(item.key), "Aunt Ada"))
    assert folded(change(wall.target(), item, add=["dog"])) == {"holiday", "aunt ada", "dog"}


def test_a_tag_of_others_that_went_missing_is_put_back_and_reported(wall: PlexWall) -> None:
    item = wall.item("a", ["Holiday", "Aunt Ada"])
    wall.plex.before("read", lambda: wall.plex.user_remove(int(item.key), "Holiday"), after=1)
    (outcome,) = write(wall.target(), [item], add=["dog"])
    assert isinstance(outcome, Written)
    assert outcome.restored == ("Holiday",)
    assert folded(wall.tags(item)) == {"holiday", "aunt ada", "dog"}


def test_locks_stay_as_they_are(wall: PlexWall) -> None:
    locked, free = wall.item("locked", ["Holiday"], locked=True), wall.item("free")
    write(wall.target(), [locked, free], add=["dog"])
    write(wall.target(), [locked, free], remove=["Dog"])
    assert [wall.plex.photos[int(item.key)].locked for item in (locked, free)] == [True, False]
    assert all("locked" not in request.url for request in wall.plex.requests)


def test_a_server_that_locks_by_itself_has_its_locks_put_back(wall: PlexWall) -> None:
    wall.plex.rules.locks_itself = True
    items = [wall.item("locked", locked=True), *wall.many(5)]
    write(wall.target(), items, add=["dog"])
    assert [wall.plex.photos[int(item.key)].locked for item in items] == [True] + [False] * 5
    wall.plex.forget_requests()
    write(wall.target(), items, add=["cat"])
    edits = [request.url for request in wall.plex.requests if request.kind == "edit"]
    assert sorted("tag.locked=1" in url for url in edits) == [False, True]


@pytest.mark.parametrize("adding", ["merge", "replace"])
@pytest.mark.parametrize("first", [1, 5])
def test_harmful_locks_that_show_only_in_details_stay_where_edits_lock(
    wall: PlexWall, first: int, adding: Literal["merge", "replace"]
) -> None:
    wall.plex.rules = Rules(adding=adding, locks_itself=True, fields_in_batches=False)
    items = [
        *wall.many(3, ["Holiday", "Aunt Ada"]),
        wall.item("a", ["Mine"], locked=True),
        wall.item("b", locked=True),
    ]
    write(wall.target(), items[:first], add=["dog"])
    write(wall.target(), items, add=["cat"], remove=["Dog"])
    assert [wall.plex.photos[int(item.key)].locked for item in items] == [False] * 3 + [True] * 2
    assert [folded(wall.tags(item)) for item in items[2:]] == [
        {"holiday", "aunt ada", "cat"},
        {"mine", "cat"},
        {"cat"},
    ]


def test_a_lock_that_a_user_sets_between_reading_and_writing_stays(wall: PlexWall) -> None:
    items = wall.many(3, ["Holiday"])
    wall.plex.before("edit", lambda: wall.plex.user_lock(int(items[0].key)))
    write(wall.target(), items, add=["dog"])
    write(wall.target(), items, add=["cat"])
    assert [wall.plex.photos[int(item.key)].locked for item in items] == [True, False, False]


def test_locks_that_show_only_in_details_are_not_taken_for_new_ones(wall: PlexWall) -> None:
    wall.plex.rules.fields_in_batches = False
    locked, free = wall.item("locked", ["Holiday"], locked=True), wall.item("free", ["Holiday"])
    target = wall.target()
    list(target.read([locked, free]))
    list(target.write([Change(locked, add=("dog",), shown=("Holiday",))]))
    list(target.write([Change(free, add=("dog",), shown=("Holiday",))]))
    assert wall.plex.photos[int(locked.key)].locked


# A server that replaces the list of tags.


@pytest.mark.parametrize("count", [1, 3, 40])
def test_harmful_replacing_server_ends_with_everybodys_tags(wall: PlexWall, count: int) -> None:
    wall.plex.rules.adding = "replace"
    items = wall.many(count, ["Holiday", "Aunt Ada"])
    target = wall.target()
    changes = [Change(i, ("dog", f"tag{n % 7}"), (), ("Holiday", "Aunt Ada")) for n, i in enumerate(items)]
    outcomes = list(target.write(changes))
    assert all(isinstance(one, Written) for one in outcomes)
    for number, item in enumerate(items):
        assert folded(wall.tags(item)) == {"holiday", "aunt ada", "dog", f"tag{number % 7}"}


def test_harmful_replacing_server_that_takes_no_whole_list_still_gets_back_what_others_had(
    wall: PlexWall,
) -> None:
    wall.plex.rules.adding = "replace"
    (item,) = wall.many(1, ["Holiday", "Aunt Ada"])
    wall.plex.longest_url = 150
    (outcome,) = write(wall.target(), [item], add=["d" * 60])
    assert isinstance(outcome, ItemError) and outcome.again
    assert {"holiday", "aunt ada"} <= folded(wall.tags(item))


def test_harmful_replacing_server_is_remembered_and_harmed_no_more(wall: PlexWall) -> None:
    wall.plex.rules.adding = "replace"
    items = wall.many(12, ["Holiday", "Aunt Ada"])
    write(wall.target(), items, add=["dog"])
    wall.plex.harm.clear()
    write(wall.target(), items, add=["cat"], remove=["Dog"])
    assert wall.plex.damage() == []
    assert all(folded(wall.tags(item)) == {"holiday", "aunt ada", "cat"} for item in items)
    write(wall.target(), items, remove=["Cat"])
    assert wall.plex.damage() == []
    assert all(folded(wall.tags(item)) == {"holiday", "aunt ada"} for item in items)


def test_harmful_replacing_server_keeps_what_a_user_adds_between_reading_and_writing(wall: PlexWall) -> None:
    wall.plex.rules.adding = "replace"
    items = wall.many(3, ["Holiday", "Aunt Ada"])
    write(wall.target(), items, add=["dog"])
    wall.plex.harm.clear()
    (shown,) = [one for one in wall.target().read(items[:1]) if isinstance(one, Shown)]
    wall.plex.user_add(int(shown.item.key), "Mine")
    list(wall.target().write([Change(shown.item, ("cat",), (), shown.tags)]))
    assert folded(wall.tags(shown.item)) == {"holiday", "aunt ada", "mine", "dog", "cat"}


def test_harmful_replacing_server_is_found_out_at_the_least_risk(wall: PlexWall) -> None:
    wall.plex.rules.adding = "replace"
    at_risk = wall.many(30, ["Holiday", "Aunt Ada"])
    changes = [Change(i, ("dog",), (), ("Holiday", "Aunt Ada")) for i in at_risk[1:]]
    changes.append(Change(at_risk[0], ("cat",), (), ("Holiday", "Aunt Ada")))
    list(wall.target().write(changes))
    assert {line.split(" of ")[1] for line in wall.plex.damage()} == {"0000.jpg removed"}


def test_harmful_replacing_server_is_found_out_on_one_photo_where_there_is_much_to_do(wall: PlexWall) -> None:
    wall.plex.rules.adding = "replace"
    items = wall.many(40, ["Holiday", "Aunt Ada"])
    changes = [
        Change(
            item,
            tuple(f"tag{bit}" for bit in range(12) if (n * 97 + 31) >> bit & 1),
            (),
            ("Holiday", "Aunt Ada"),
        )
        for n, item in enumerate(items)
    ]
    assert all(isinstance(one, Written) for one in wall.target().write(changes))
    assert len({line.split(" of ")[1] for line in wall.plex.damage()}) == 1
    assert all({"holiday", "aunt ada"} < folded(wall.tags(item)) for item in items)


def test_a_merging_server_is_probed_once_for_all(wall: PlexWall) -> None:
    items = wall.many(4, ["Holiday"])
    changes = [Change(item, (f"tag{n}",), (), ("Holiday",)) for n, item in enumerate(items)]
    list(wall.target().write(changes))
    assert wall.plex.counts()["read"] == 3  # one photo before and after the first edit, then all
    wall.plex.forget_requests()
    changes = [Change(item, (f"more{n}",), (), ("Holiday", f"Tag{n}")) for n, item in enumerate(items)]
    list(wall.target().write(changes))
    assert wall.plex.counts()["read"] == 1


# Faults.


def test_a_refused_batch_is_halved_until_it_passes(wall: PlexWall) -> None:
    items = wall.many(40, ["Holiday"])
    wall.plex.longest_url = 180
    outcomes = list(wall.target().write([Change(item, ("dog",), (), ("Holiday",)) for item in items]))
    assert all(isinstance(one, Written) for one in outcomes)
    assert all(wall.tags(item) == ["Holiday", "Dog"] for item in items)


@pytest.mark.parametrize("how", ["lost", "reset"])
def test_an_edit_whose_answer_is_lost_is_read_before_it_is_sent_again(wall: PlexWall, how: str) -> None:
    items = wall.many(3, ["Holiday"])
    wall.is_known()
    wall.plex.fault("edit", how)  # type: ignore[arg-type]
    assert all(isinstance(one, Written) for one in write(wall.target(), items, add=["dog"]))
    assert wall.plex.counts()["edit"] == (1 if how == "lost" else 2)


@pytest.mark.parametrize("body", [b"<html><br></html>", b"<MediaContainer"])
def test_nonsense_for_an_edit_is_read_over_before_it_is_sent_again(wall: PlexWall, body: bytes) -> None:
    item = wall.item("a", ["Holiday"])
    wall.plex.fault("edit", "garbage", 1, body=body)
    assert folded(change(wall.target(), item, add=["dog"])) == {"holiday", "dog"}


def test_a_photo_whose_edits_are_answered_with_nonsense_is_tried_again_later(wall: PlexWall) -> None:
    wall.plex.fault("edit", "garbage", 99, body=b"<html><br></html>")
    (outcome,) = write(wall.target(), [wall.item("a")], add=["dog"])
    assert isinstance(outcome, ItemError)
    assert outcome.again
    assert "something that is not XML" in str(outcome)


def test_maintenance_is_waited_for(wall: PlexWall) -> None:
    item = wall.item("a")
    wall.plex.fault("any", "status", 3)
    wall.plex.fault("edit", "status", 3)
    assert change(wall.target(), item, add=["dog"]) == ("Dog",)


def test_an_edit_that_fails_for_good_leaves_the_item_pending(wall: PlexWall) -> None:
    item = wall.item("a")
    wall.plex.fault("edit", "status", 99)
    (error,) = write(wall.target(), [item], add=["dog"])
    assert isinstance(error, ItemError) and error.again
    assert "a.jpg" in str(error) and "503" in str(error)


def test_a_server_that_takes_no_edit_at_all_is_unreachable(wall: PlexWall) -> None:
    items = wall.many(3)
    wall.plex.fault("edit", "status", 99)
    with pytest.raises(Unreachable, match="503"):
        list(wall.target().write([Change(item, (f"tag{n}",)) for n, item in enumerate(items)]))


def test_harmful_server_that_forgets_what_it_was_told_is_not_believed(wall: PlexWall) -> None:
    item = wall.item("a")
    wall.plex.rules.stores_edits = False
    (error,) = write(wall.target(), [item], add=["dog"])
    assert isinstance(error, ItemError) and error.again
    assert "does not show it" in str(error)


def test_an_edit_that_was_forgotten_once_is_sent_again(wall: PlexWall) -> None:
    item = wall.item("a", ["Holiday"])
    wall.plex.fault("edit", "garbage", body=b"<MediaContainer/>")
    assert folded(change(wall.target(), item, add=["dog"])) == {"holiday", "dog"}


def test_a_token_that_may_not_edit_is_told(wall: PlexWall) -> None:
    item = wall.item("a")
    wall.plex.fault("edit", "status", 99, status=403)
    with pytest.raises(Unreachable, match="read but not edit"):
        write(wall.target(), [item], add=["dog"])


def test_a_wrong_token_is_a_matter_of_configuration_at_first_and_of_the_run_later(wall: PlexWall) -> None:
    item, target = wall.item("a"), wall.target()
    with pytest.raises(ConfigError, match="Plex rejected the token"):
        list(wall.target("wrong").read([item]))
    list(target.read([item]))
    wall.plex.token = "changed"
    with pytest.raises(Unreachable, match="rejected the token") as error:
        list(target.read([item]))
    assert TOKEN not in str(error.value)


def test_a_server_that_is_away_is_said_to_be_away(wall: PlexWall) -> None:
    item, target = wall.item("a"), wall.target()
    wall.plex.stop()
    with pytest.raises(Unreachable, match=rf"Cannot reach Plex at {wall.plex.url} \(connection refused\)"):
        list(target.read([item]))
    assert target.label == f"Plex at {wall.plex.url}"
    wall.plex.start()
    assert wall.target().label == "Plex on nas"
