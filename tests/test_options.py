"""What may be written for an engine's rate, budget, hours and cost."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from tigertag.config.environment import Variable
from tigertag.config.options import shown, validated
from tigertag.model import Budget, EngineRules, Hours, Rate
from tigertag.options import CommaList, EngineOptions, address, among


def rules(**given: object) -> EngineRules:
    return EngineOptions.model_validate(given).rules()


@pytest.mark.parametrize(
    ("written", "rate", "interval"),
    [
        ("5/s", Rate(5), 0.2),
        ("30/min", Rate(30, "min"), 2),
        ("30 / Minute", Rate(30, "min"), 2),
        ("2/second", Rate(2), 0.5),
        ("4", Rate(4), 0.25),
        ("0.5", Rate(0.5), 2),
    ],
)
def test_a_rate_is_per_second_or_minute(written: str, rate: Rate, interval: float) -> None:
    found = rules(rate=written).rate
    assert (found, rate.interval) == (rate, interval)


@pytest.mark.parametrize(
    ("field", "written", "value"),
    [
        ("budget", "300/day", Budget(300, "day")),
        ("budget", "2000 / month", Budget(2000, "month")),
        ("hours", "22-06", Hours(time(22), time(6))),
        ("hours", "22:30-6:15", Hours(time(22, 30), time(6, 15))),
        ("hours", "18-24", Hours(time(18), time(0))),
        ("cost_per_call", "0.002", 0.002),
    ],
)
def test_budgets_hours_and_costs_are_understood(field: str, written: str, value: object) -> None:
    assert getattr(rules(**{field: written}), field) == value


@pytest.mark.parametrize(
    ("suffix", "written", "said"),
    [
        ("RATE", "fast", ": `fast` is no rate such as `5/s` or `30/min`"),
        ("RATE", "0/s", ": `0/s` is no rate such as `5/s` or `30/min`"),
        ("RATE", "5/h", ": `5/h` is no rate such as `5/s` or `30/min`"),
        ("BUDGET", "300", ": `300` is no budget such as `300/day` or `2000/month`"),
        ("BUDGET", "0/day", ": `0/day` is no budget such as `300/day` or `2000/month`"),
        ("HOURS", "22", ": `22` are no hours such as `22-06` or `22:30-06:15`"),
        ("HOURS", "22-25", ": `22-25` are no hours such as `22-06` or `22:30-06:15`"),
        ("HOURS", "8-24:30", ": `8-24:30` are no hours such as `22-06` or `22:30-06:15`"),
        ("HOURS", "6-6", ": `6-6` begin and end together: leave the setting out for all day"),
        ("COST_PER_CALL", "-1", " must be a number of at least 0"),
        ("COST_PER_CALL", "nan", " must be a number of at least 0"),
    ],
)
def test_what_is_wrong_with_a_limit_is_said_in_its_own_words(suffix: str, written: str, said: str) -> None:
    name = f"ENGINE_SEER_{suffix}"
    options, faults = validated(EngineOptions, {suffix: Variable(name, written, "here", name)}, Path())
    assert (options, [fault.text for fault in faults]) == (None, [said])


@pytest.mark.parametrize(
    ("field", "written"), [("rate", "30/min"), ("budget", "300/day"), ("hours", "22-06"), ("hours", "22:30-06")]
)
def test_a_limit_is_shown_as_it_is_written(field: str, written: str) -> None:
    assert shown(getattr(rules(**{field: written}), field)) == written


def test_without_limits_no_call_needs_to_be_counted() -> None:
    assert not rules().counts_calls
    assert not rules(hours="22-06").counts_calls
    assert all(
        rules(**each).counts_calls for each in ({"rate": "5"}, {"budget": "5/day"}, {"cost_per_call": 1})
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (" https://seer.example/v2/ ", "https://seer.example/v2"),
        ("HTTP://seer.example:8080", "HTTP://seer.example:8080"),
        ("http://[::1]:8080/v1//", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_is_taken_without_what_stands_around_it(written: str, read: str) -> None:
    assert address(written, example="https://seer.example", keys="") == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("seer.example", "is no address such as https://seer.example"),
        ("ftp://seer.example", "is no address such as https://seer.example"),
        ("http://seer.example:0", "is no address such as https://seer.example"),
        ("http://seer.example:port", "is no address such as https://seer.example"),
        ("http://me:word@seer.example", "holds a user name or password: use api_key"),
        ("http://seer.example?a=1", "holds a ? or #: give the address only, such as https://seer.example"),
    ],
)
def test_what_is_no_plain_address_is_refused_in_words(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        address(written, example="https://seer.example", keys="use api_key")


def test_a_group_that_there_is_not_is_named_with_those_there_are() -> None:
    listed = TypeAdapter(Annotated[CommaList, among(("sun", "moon"))])
    assert listed.validate_python("moon, sun") == ("moon", "sun")
    with pytest.raises(ValueError, match="there is no group `mars`; there are sun, moon"):
        listed.validate_python("sun, mars")
