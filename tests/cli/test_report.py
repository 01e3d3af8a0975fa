"""The end of a scan, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tigertag.app.looking import EngineStatus
from tigertag.app.scanning import EngineLine, Listing, ScanReport, Tally
from tigertag.cli.report import faults, lines, rows
from tigertag.cli.status import quota_words
from tigertag.cli.words import duration, percent, table
from tigertag.errors import PluginDown, Unreachable
from tigertag.model import JSON, Quota
from tigertag.pipeline.rowset import RowSet

IMAGGA = EngineLine(
    "imagga",
    "sends 300 px copies without metadata to api.imagga.com",
    quota=Quota(788, 1000, 212, "1 December"),
    waiting=104,
    billed=True,
    reason="1000 of 1000 used; its photos wait until 1 December",
    planned=True,
    until="1 December",
)


def report(**changes: object) -> ScanReport:
    tally = Tally(
        added=1702,
        written_items=RowSet(range(309)),
        kept_edits=14,
        failures=[("Summer/IMG_2231.jpg", "Summer/IMG_2231.jpg ends early")],
        codes=[3],
    )
    listing = Listing('Plex "Photos" on nas', listed=80214, new=312, changed=4, skipped={"clips": 1120})
    made = ScanReport(12, [listing], [IMAGGA], tally, due=316, seconds=171, known_failures=2)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_end_of_a_scan_reads_as_it_should() -> None:
    assert lines(report()) == [
        (
            'Plex "Photos" on nas   80,214 photos · 312 new · 4 changed · 1,120 clips not looked at '
            "(--videos does, with tigertag[video])"
        ),
        "  imagga   sends 300 px copies without metadata to api.imagga.com · 212 of 1,000 left this month",
        "Done in 2 min 51 s: +1,702 tags on 309 photos, 0 removed, 14 of your edits kept",
        "  waiting  104 for imagga (quota; next on 1 December)",
        "  failed     1 new: Summer/IMG_2231.jpg ends early (2 known ones not tried)",
        "Take it back: tigertag undo 12",
    ]


def test_many_failures_are_named_below_each_other() -> None:
    many = Tally(failures=[(f"{number}.jpg", "ends early") for number in range(30)])
    said = lines(report(tally=many, known_failures=0))
    assert "  failed    30 new" in said
    assert "    0.jpg: ends early" in said
    assert said[-1] == "    and 10 more: tigertag status"
    assert len(faults(many)) == 30


def test_a_missing_decoder_says_how_to_get_it() -> None:
    said = lines(report(tally=Tally(needs={"heic": 3})))
    assert "  waiting    3 needs tigertag[heic]: pip install 'tigertag[heic]'" in said


def test_requests_without_an_answer_are_counted() -> None:
    said = lines(report(engines=[replace(IMAGGA, maybe_billed=2)]))
    assert "  in doubt    2 sent to imagga without an answer, maybe billed" in said


def test_requests_that_a_killed_run_left_in_doubt_are_counted_by_themselves() -> None:
    said = lines(report(engines=[replace(IMAGGA, maybe_billed=1, maybe_billed_before=3)]))
    assert "  in doubt    1 sent to imagga without an answer, maybe billed" in said
    assert "  in doubt    3 sent to imagga by runs that were cut off, maybe billed" in said


def test_an_engine_with_a_bad_key_says_why_and_its_photos_wait() -> None:
    reason = "Imagga rejected the API key"
    tally = Tally(aside={"imagga": PluginDown(reason)}, codes=[4])
    said = lines(report(engines=[EngineLine("imagga", "", waiting=7, reason=reason)], tally=tally))
    assert "  imagga   put aside: Imagga rejected the API key" in said
    assert "  waiting  7 for imagga (put aside; the next scan asks again)" in said
    assert faults(tally) == ["imagga: Imagga rejected the API key"]


def test_a_planned_stop_is_no_fault() -> None:
    assert faults(Tally(aside={"imagga": PluginDown("used up", planned=True)})) == []


def test_a_server_that_is_source_and_target_is_named_once() -> None:
    away = Unreachable("Cannot reach Plex at http://nas:32400 (connection refused). Is it running?")
    tally = Tally(aside={"source plex": away, "target plex": away}, codes=[5])
    assert faults(tally) == [str(away)]
    assert lines(report(listings=[], engines=[], tally=tally, known_failures=0)) == [
        "Nothing was scanned.",
        f"  !! {away}",
    ]


def test_nothing_due_is_said_in_a_line() -> None:
    quiet = report(tally=Tally(), due=0, engines=[replace(IMAGGA, waiting=0)], known_failures=0)
    assert "Nothing to do: all 80,214 photos are up to date." in lines(quiet)


def test_a_stop_by_a_signal_is_called_so() -> None:
    stopped = report(tally=Tally(codes=[130]), engines=[EngineLine("metadata", "", waiting=9)])
    assert "Stopped after 2 min 51 s: +0 tags on 0 photos, 0 removed" in lines(stopped)
    assert "  waiting  9 for metadata (stopped; the next scan goes on)" in lines(stopped)


def test_json_rows_end_with_the_summary() -> None:
    made = rows(report())
    assert [row["type"] for row in made] == ["source", "engine", "failure", "summary"]
    assert made[1]["quota"] == {"used": 788, "limit": 1000, "left": 212, "until": "1 December"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.97, "10 s"), (59.7, "1 min 0 s"), (171, "2 min 51 s"), (11100, "3 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_almost_sure_is_not_sure() -> None:
    assert (percent(0.999), percent(1), percent(0.005)) == ("99 %", "100 %", "0 %")


def test_columns_are_as_wide_as_they_look() -> None:
    assert table([["犬", "1"], ["dog", "20"]], right=" r") == ["犬    1", "dog  20"]


def test_the_end_is_estimated_from_the_monthly_quota() -> None:
    quota: dict[str, JSON] = {"used": 988, "limit": 1000, "left": 12, "until": "1 December"}
    waiting = EngineStatus("imagga", 0, 2431, 0, quota)
    assert quota_words(waiting).endswith("goes on 1 December, done in about 3 months")
    assert quota_words(replace(waiting, waiting=5)) == "12 of 1,000 left at the last scan"
