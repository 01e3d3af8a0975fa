"""What the policy does to the tags of a library: counted, explained, tried."""

from __future__ import annotations

from tests.app.test_looking import furnished
from tests.house import House
from tests.stage import tag
from tigertag.app.tags import explain, tags
from tigertag.model import Term, Vocabulary


def outcomes(house: House, photo: str = "Summer/1.jpg") -> dict[str, str]:
    """What was said of a photo, and what became of it."""
    ((_, reasons),) = explain(house.app, photo)
    return {each.said: each.outcome for each in reasons}


def test_explain_says_why_each_tag_is_or_is_not_written(any_house: House) -> None:
    furnished(any_house)
    any_house.stage.wall.user_removes("1", "dog")
    any_house.write(verify=True)
    any_house.vocabulary = Vocabulary(deny=frozenset({"cat"}))
    found = outcomes(any_house)
    assert found["dog"].startswith("stays away")
    assert "denied" in found["cat"]
    assert found["sea"] == "written"
    assert found["fog"].startswith("below 30%")
    ((_, only),) = explain(any_house.app, "Summer/1.jpg", "CAT")
    assert [each.said for each in only] == ["cat"]


def test_explain_names_the_rule_of_the_vocabulary_that_decided(house: House) -> None:
    house.engine("one", min_confidence=10)
    house.engine("two", min_confidence=10)
    said = [tag("gown", 90), tag("dress", 50), tag("WHAT", 80), tag("fog", 40), tag("sofa", 60), tag("cat", 70)]
    photo = house.photo("1", *said, by="one")
    house.mind("two").says[photo] = [tag("gown", 70), tag("cat", 60), tag("dog", 99)]
    house.scan()
    house.vocabulary = Vocabulary(
        terms={
            "gown": Term("gown", agree=1),
            "dress": Term("dress", synonyms=("gown again",), agree=1),
            "what": Term("WHAT", is_category=True),
            "fog": Term("fog", min_confidence=0.5),
        },
        parents={"gown": "clothing"},
        writes_parents=True,
        agree=2,
        max_tags=2,
        trust={"two": 1.5},
    )
    assert {(each.said, each.engine, each.rule) for _, every in explain(house.app, "1") for each in every} == {
        ("gown", "one", "written"),
        ("gown", "two", "written"),
        ("cat", "one", "written"),
        ("cat", "two", "written"),
        ("dress", "one", "photo limit"),
        ("WHAT", "one", "category"),
        ("fog", "one", "tag confidence"),
        ("sofa", "one", "agreement"),
        ("dog", "two", "agreement"),
        ("clothing", "one", "above"),
        ("clothing", "two", "above"),
    }
    found = outcomes(house, "1")
    assert found["sofa"] == "trusted 1 where 2 is asked for (agree and trust in the vocabulary)"
    assert found["dress"] == "over 2 tags a photo (max_tags in the vocabulary)"
    assert found["clothing"] == "written, above gown"


def test_explain_tells_what_others_put_there_and_what_is_kept_for_an_engine_out_of_force(house: House) -> None:
    house.engine("one")
    house.engine("two")
    photo = house.photo("1", tag("dog", 90), tag("sea", 80), by="one")
    house.mind("two").says[photo] = [tag("fog", 70)]
    house.stage.wall.user_adds("1", "Sea")
    house.stage.wall.user_adds("1", "Holiday")
    house.scan()
    house.enable("two", False)
    house.write(verify=True)
    ((_, reasons),) = explain(house.app, "1")
    assert {(each.said, each.engine, each.rule) for each in reasons} == {
        ("dog", "one", "written"),
        ("sea", "one", "theirs"),
        ("Fog", "", "kept"),
    }
    assert "undo --engine" in outcomes(house, "1")["Fog"]
    house.change("one", prefix="ai")
    ((_, reasons),) = explain(house.app, "1", "dog")
    assert [(each.said, each.name, each.rule) for each in reasons] == [
        ("dog", "ai_dog", "written"),
        ("Dog", "Dog", "earlier"),
    ]


def test_tags_count_photos_once_however_many_copies_show_them(any_house: House) -> None:
    furnished(any_house)
    counts = {each.name: (each.photos, each.shown, each.engines) for each in tags(any_house.app)}
    assert counts == {
        "dog": (1, 1, ("seer",)),
        "cat": (1, 1, ("seer",)),
        "sea": (0, 0, ("seer",)),
        "fog": (0, 0, ("seer",)),
    }


def test_tags_say_what_keeps_them_from_photos_and_what_they_are_also_called(house: House) -> None:
    house.engine("seer", min_confidence=30)
    house.photo("1", tag("doggy", 90), number=1)
    house.photo("2", tag("dog", 20), number=2)
    house.photo("3", tag("Puppy", 10), tag("dog", 80), number=3)
    house.scan()
    house.vocabulary = Vocabulary(
        terms={"dog": Term("dog", synonyms=("puppy", "doggy"))}, parents={"dog": "animal"}, writes_parents=True
    )
    animal, dog = sorted(tags(house.app), key=lambda each: each.name)
    assert (dog.said, dog.photos, dog.under, dog.kept_back) == (
        3,
        2,
        ("Puppy", "doggy"),
        {"engine confidence": 1},
    )
    assert (animal.said, animal.photos, animal.engines) == (0, 2, ("seer",))


def test_there_are_no_tags_without_a_database(house: House, tmp_path: object) -> None:
    house.url = f"sqlite:///{tmp_path}/none/tigertag.db"
    house.engine("seer")
    assert tags(house.app) == []
