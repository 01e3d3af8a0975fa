"""The short form of the torture: a few faults at each boundary, always the same ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture.boundaries import BOUNDARIES
from tests.torture.reporting import PROPERTY, packed, unpacked
from tests.torture.table import is_good, lines
from tests.torture.trial import Cell, Miss, Trial, missed, untried


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_faults_at_a_boundary_are_survived(
    boundary: str, record_property: Callable[[str, object], None]
) -> None:
    trials = list(BOUNDARIES[boundary](False))
    record_property(PROPERTY, packed(trials))
    assert is_good(trials), "\n".join(lines(trials))


GOOD = Trial(Cell("Plex", "reset", "scan"), at="3rd request")


@pytest.mark.parametrize("miss", [Miss.LOST, Miss.BILLED, Miss.HUNG, Miss.LEAKED])
def test_one_grave_miss_in_a_thousand_is_too_many(miss: Miss) -> None:
    trials = [GOOD] * 999
    assert is_good(trials)
    assert not is_good([*trials, Trial(GOOD.cell, misses={miss: "a tag"})])


@pytest.mark.parametrize("miss", [Miss.EXIT, Miss.WORDS])
def test_two_wrong_words_in_a_hundred_are_borne_and_listed(miss: Miss) -> None:
    wrong = Trial(Cell("Plex", "reset", "write"), "1st", {miss: "0 for 5"})
    trials = [GOOD] * 98 + [wrong] * 2
    assert is_good(trials)
    assert f"MISS {miss}: Plex × reset × write, 1st: 0 for 5" in list(lines(trials))
    assert not is_good([*trials, wrong])


def test_the_table_counts_faults_and_names_what_was_not_tried() -> None:
    trials = [
        GOOD,
        Trial(Cell("Plex", "stall", "write"), injected=4),
        untried(Cell("Plex", "stall", "scan"), "too slow"),
        Trial(Cell("disk", "full", "scan"), misses=missed(lost="a tag", hung=None)),
    ]
    head, plex, disk, total, *rest = [line.split() for line in lines(trials)]
    assert head[:2] == ["boundary", "faults"]
    assert (plex, disk, total) == (
        ["Plex", "5", "5", "0", "0", "0", "0", "0", "0"],
        ["disk", "1", "0", "1", "0", "0", "0", "0", "0"],
        ["all", "6", "5", "1", "0", "0", "0", "0", "0"],
    )
    assert [" ".join(line) for line in rest[-3:]] == [
        "cells tried: 3; not tried: 2",
        "NOT TRIED Plex × stall × scan: too slow",
        "NOT TRIED Plex × reset × write",
    ]


def test_trials_travel_from_one_process_to_another() -> None:
    trials = [GOOD, Trial(GOOD.cell, "2nd", {Miss.LOST: "a tag"}, 3), untried(GOOD.cell, "no strace")]
    assert unpacked(packed(trials)) == trials
