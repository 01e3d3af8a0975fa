"""What a CompreFace engine says of its people, and how the examples move its settings."""

from __future__ import annotations

from tests.engines.compreface_home import BEN, Home, home
from tests.servers.compreface import CORE_DOWN
from tests.servers.compreface_faces import draw_people
from tigertag.contract.engine import ask, said
from tigertag.contract.stand_ins import FakePhoto

__all__ = ["home"]


def test_settings_stay_the_same_when_nothing_changed(home: Home) -> None:
    before = home.engine().settings
    after = home.start().settings
    assert before == after == home.engine().settings == home.start().settings


def test_changed_examples_change_the_settings(home: Home) -> None:
    first = home.start().settings
    home.put("Ben/2.jpg", draw_people("lime", seed=8))
    foretold = home.engine().settings
    assert first != foretold == home.start().settings == home.engine().settings


def test_a_file_that_was_refused_changes_no_setting(home: Home) -> None:
    first = home.start().settings
    home.put("Ben/nobody.jpg", draw_people(seed=8))
    home.put("Ben/text.jpg", b"text")
    assert home.start().settings == first == home.engine().settings


def test_a_missing_faces_folder_changes_no_setting(home: Home) -> None:
    first = home.start().settings
    home.folder.rename(home.folder.with_name("elsewhere"))
    assert home.engine().settings == first == home.start().settings


def test_an_example_that_could_not_be_added_counts_once_it_is_there(home: Home) -> None:
    home.service.fail("add", CORE_DOWN, times=4)
    first = home.start().settings
    assert home.start().settings != first


def test_people_are_listed_with_ours_others_and_wanted(home: Home) -> None:
    home.service.seed("Zoe", draw_people("cyan"))
    home.service.seed("anna", draw_people("magenta", seed=9))
    home.sync()
    rows = [(row.name, row.ours, row.others, row.wanted) for row in home.engine().people()]
    assert rows == [("anna", 2, 1, 2), ("Ben", 1, 0, 1), ("Zoe", 0, 1, 0)]


def test_people_are_named_as_the_user_spells_them(home: Home) -> None:
    home.service.seed_subject("ANNA")
    answers = said(ask(home.start(), [FakePhoto(draw_people("magenta", seed=5))]))
    assert [one.name for one in answers.popitem()[1]] == ["Anna"]


def test_check_names_what_waits_and_what_is_wrong(home: Home) -> None:
    home.put("Bad;Name/1.jpg", BEN)
    findings = list(home.engine().check())
    assert any(finding.ok and "3 examples to add, 0 to remove" in finding.text for finding in findings)
    assert [finding.text for finding in findings if not finding.ok] == [
        "The name 'Bad;Name' holds `;`; its examples are left out"
    ]
    assert home.service.writes == 0


def test_check_names_each_fault_of_the_yaml(home: Home) -> None:
    home.put("faces.yaml", b"faces:\n- tag: Anna\n- images: []\n")
    wrong = [finding.text for finding in home.engine().check() if not finding.ok]
    assert [text.partition("faces.yaml ")[2][:6] for text in wrong] == ["line 2", "line 3"]
