"""The promise to the owner, decided from what is wanted, shown and known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tigertag.model import fold
from tigertag.pipeline.plan import Entry, Known, Plan, Ruling, finish, missing, plan
from tigertag.pipeline.policy import Wanted


def want(name: str, *engines: str, canonical: str = "", kind: str = "tag") -> Wanted:
    return Wanted(name, kind, canonical or fold(name), engines or ("seer",))


def entry(name: str, *engines: str, ours: bool = True, canonical: str = "", kind: str = "tag") -> Entry:
    return Entry(name, kind, canonical or fold(name), ours, engines or ("seer",))


def no(name: str, value: str = "no", *, own: bool = True, canonical: str = "", kind: str = "tag") -> Ruling:
    return Ruling(kind, canonical or fold(name), value, name, own)


def known(
    wanted: Iterable[Wanted] = (),
    entries: Iterable[Entry] = (),
    rulings: Iterable[Ruling] = (),
    speaking: Iterable[str] = ("seer",),
) -> Known:
    return Known(tuple(wanted), tuple(entries), tuple(rulings), tuple(speaking))


def names(found: Iterable[Wanted | Entry]) -> list[str]:
    return [each.name for each in found]


def test_what_is_wanted_and_not_there_is_added() -> None:
    assert names(plan(known([want("dog")]), ["Beach"]).add) == ["dog"]


def test_what_a_user_put_there_is_never_removed() -> None:
    assert not plan(known(entries=[entry("dog", ours=False)]), ["Dog", "Beach"]).changes_target


def test_what_is_ours_and_not_wanted_goes_in_the_spelling_of_the_target() -> None:
    assert names(plan(known(entries=[entry("dog")]), ["Dog"]).remove) == ["Dog"]


def test_what_was_there_before_us_is_theirs_and_nothing_is_written() -> None:
    found = plan(known([want("dog")]), ["DOG"])
    assert (names(found.found), found.changes_target) == (["dog"], False)


def test_names_are_compared_folded() -> None:
    decided = plan(known([want("straße"), want("E\u0301te\u0301")], [entry("strasse")]), ["STRASSE", "été "])
    assert not decided.changes_target
    assert names(decided.kept) == ["STRASSE"]


def test_what_a_user_removed_is_refused_and_not_added_again() -> None:
    decided = plan(known([want("dog")], [entry("dog")]), [])
    assert (names(decided.refused), decided.changes_target) == (["dog"], False)


def test_their_own_tag_that_a_user_removed_is_refused_too() -> None:
    assert names(plan(known([want("dog")], [entry("dog", ours=False)]), []).refused) == ["dog"]


def test_verdicts_against_a_tag_stop_it() -> None:
    for value in ("no", "undone"):
        decided = plan(known([want("dog")], rulings=[no("dog", value)]), [])
        assert (names(decided.stopped), decided.changes_target) == (["dog"], False)


def test_a_verdict_for_a_tag_lets_it_be_added() -> None:
    assert names(plan(known([want("dog")], rulings=[no("dog", "yes")]), []).add) == ["dog"]


def test_a_verdict_on_one_copy_counts_for_the_others_until_they_have_their_own() -> None:
    assert not plan(known([want("dog")], rulings=[no("dog", own=False)]), []).add
    both = [no("dog", "yes"), no("dog", own=False)]
    assert names(plan(known([want("dog")], rulings=both), []).add) == ["dog"]


def test_a_verdict_only_stops_adding() -> None:
    decided = plan(known([want("dog")], [entry("dog")], [no("dog", own=False)]), ["Dog"])
    assert not decided.changes_target


def test_a_tag_that_a_user_adds_after_removing_it_is_theirs() -> None:
    decided = plan(known([want("dog")], rulings=[no("dog")]), ["Dog"])
    assert (names(decided.welcomed), decided.changes_target) == (["dog"], False)


def test_it_is_theirs_also_where_nothing_wants_it_any_more() -> None:
    assert names(plan(known(rulings=[no("Dog")]), ["dog"]).welcomed) == ["Dog"]


def test_a_new_prefix_renames_what_is_ours() -> None:
    decided = plan(known([want("tti_dog", canonical="dog")], [entry("dog")]), ["Dog"])
    assert (names(decided.add), names(decided.remove)) == (["tti_dog"], ["Dog"])


def test_a_refused_tag_stays_refused_under_a_new_prefix() -> None:
    decided = plan(known([want("tti_dog", canonical="dog")], rulings=[no("Dog", canonical="dog")]), [])
    assert not decided.changes_target


def test_a_tag_removed_in_the_very_moment_the_prefix_changes_is_refused_too() -> None:
    decided = plan(known([want("tti_dog", canonical="dog")], [entry("dog")]), [])
    assert not decided.changes_target


def test_a_person_is_refused_with_the_tag_of_the_same_name() -> None:
    decided = plan(known([want("Ann", kind="person")], rulings=[no("Ann")]), [])
    assert not decided.changes_target


def test_a_tag_goes_when_the_last_engine_no_longer_wants_it() -> None:
    shared = [entry("dog", "one", "two")]
    both = ("one", "two")
    decided = plan(known([want("dog", "two")], shared, speaking=both), ["Dog"])
    assert [each.engines for each in decided.kept] == [("two",)]
    assert names(plan(known([], shared, speaking=both), ["Dog"]).remove) == ["Dog"]


def test_what_a_silent_engine_wrote_is_left_alone() -> None:
    for speaking in ((), ("two",)):
        decided = plan(known([], [entry("dog", "one")], speaking=speaking), ["Dog"])
        assert (names(decided.kept), decided.changes_target) == (["Dog"], False)
    shared = plan(known([], [entry("dog", "one", "two")], speaking=("two",)), ["Dog"])
    assert [each.engines for each in shared.kept] == [("one",)]


def test_a_removal_that_was_taken_back_stays_taken_back() -> None:
    there = replace(known([], [entry("dog")], [no("dog", "undone")]), brought_back={"dog"})
    assert not plan(there, ["Dog"]).changes_target


def test_what_was_taken_off_by_an_undo_does_not_hold_another_name_of_it() -> None:
    decided = plan(known([], [entry("tti_dog")], [no("dog", "undone")]), ["Tti_dog"])
    assert names(decided.remove) == ["Tti_dog"]


def test_what_is_missing_after_a_restore_is_written_again_and_nothing_is_learnt() -> None:
    decided = plan(known([want("dog")], [entry("dog"), entry("cat")]), [], learn=False)
    assert (names(decided.add), decided.refused) == (["dog"], ())
    assert names(decided.forgotten) == ["dog", "cat"]


def test_a_restore_does_not_bring_back_what_was_refused_before() -> None:
    decided = plan(known([want("dog")], [], [no("dog")]), [], learn=False)
    assert not decided.changes_target


def test_missing_are_only_tags_of_ours() -> None:
    there = known(entries=[entry("dog"), entry("cat"), entry("sun", ours=False)])
    assert names(missing(there, ["CAT"])) == ["dog"]


def test_a_second_plan_after_the_first_was_carried_out_does_nothing() -> None:
    before = known([want("dog"), want("tti_sun", canonical="sun")], [entry("sun"), entry("cat")], [no("fog")])
    shown = ["Sun", "Cat", "Mine"]
    first: Plan = plan(before, shown)
    after = [*(entry(each.name, canonical=each.canonical) for each in first.add), *first.kept]
    shown = [*names(first.add), *(name for name in shown if name not in names(first.remove))]
    second = plan(known(before.wanted, after, before.rulings), shown)
    assert not second.changes_target and not second.refused


def test_an_undo_that_was_cut_off_is_finished_where_its_tags_still_stand() -> None:
    decided = plan(known([want("dog")], [entry("dog"), entry("cat", ours=False)]), ["Dog", "Cat"])
    finished = finish(decided, add=[entry("fog"), entry("cat")], remove=[entry("dog"), entry("cat")])
    assert (names(finished.remove), names(finished.add)) == (["Dog"], ["fog"])
    assert names(finished.kept) == ["Cat"]


def test_what_is_learnt_counts_at_once_so_that_a_second_look_changes_nothing() -> None:
    both = [want("dog"), want("tti_dog", "other", canonical="dog")]
    decided = plan(known(both, rulings=[no("dog")], speaking=("seer", "other")), ["Dog"])
    assert (names(decided.welcomed), names(decided.add)) == (["dog"], ["tti_dog"])
    renamed = plan(known(both[1:], [entry("tti_dog")], [no("dog")], ("seer", "other")), ["Dog"])
    assert (names(renamed.refused), renamed.changes_target) == (["tti_dog"], False)


def test_another_name_of_a_refused_tag_may_have_been_there_all_along_and_brings_nothing_back() -> None:
    both = [want("dog"), want("tti_dog", "other", canonical="dog")]
    decided = plan(known(both, rulings=[no("dog")], speaking=("seer", "other")), ["tti_dog"])
    assert (names(decided.found), names(decided.welcomed), names(decided.stopped)) == (["tti_dog"], [], ["dog"])


def test_a_target_that_follows_removes_ours_where_a_verdict_is_against_it() -> None:
    standing = known([want("dog")], [entry("dog"), entry("Ada", ours=False)], [no("dog"), no("Ada")])
    assert names(plan(standing, ["Dog", "Ada"], follow=True).remove) == ["Dog"]
    assert not plan(standing, ["Dog", "Ada"]).changes_target
    copied = known([want("dog")], [entry("dog")], [no("dog", own=False)])
    assert names(plan(copied, ["dog"], follow=True).remove) == ["dog"]


def test_a_target_that_follows_keeps_what_was_taken_back_or_allowed() -> None:
    for rulings in ([no("dog", "undone")], [no("dog", own=False), no("dog", "yes")]):
        assert not plan(known([want("dog")], [entry("dog")], rulings), ["dog"], follow=True).changes_target
