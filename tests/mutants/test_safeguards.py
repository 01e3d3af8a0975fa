"""The list of safeguards is true: what it would remove is there, and so are the tests that should notice."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.mutants.safeguard import Safeguard
from tests.mutants.safeguards import SAFEGUARDS
from tests.mutants.trees import ROOT


def test_there_are_forty_and_more_each_with_a_name_of_its_own() -> None:
    assert len({each.name for each in SAFEGUARDS}) == len(SAFEGUARDS) > 40


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name)
def test_the_text_of_a_safeguard_stands_there_once_and_the_rest_is_a_program(safeguard: Safeguard) -> None:
    left = safeguard.removed_from(ROOT)
    assert left != (ROOT / safeguard.file).read_text(encoding="utf-8")
    compile(left, safeguard.file, "exec")


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name)
def test_the_test_that_should_notice_is_there(safeguard: Safeguard) -> None:
    text = (ROOT / safeguard.file_of_tests).read_text(encoding="utf-8")
    for name in safeguard.test.partition("[")[0].split("::"):
        assert re.search(rf"^ *(class|def) {name}\b", text, re.MULTILINE), safeguard.noticed_by


@pytest.mark.parametrize(("source", "times"), [("nobody ever wrote this", 0), ("import", 2)])
def test_a_text_that_is_not_there_once_is_an_error(source: str, times: int) -> None:
    old = replace(SAFEGUARDS[0], source=source)
    with pytest.raises(LookupError, match=r"its text stands in tigertag/.* times, not once"):
        old.removed_from(ROOT)
