"""Each request of the program going wrong in each way, at the start, in the middle and at the end of a scan."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from tests.servers.base import Fault
from tests.torture.place import PHOTOS, Place, Places, Ran, State, places
from tests.torture.trial import Cell, Miss, Trial, missed, untried
from tests.torture.wire_faults import Wrong, wrongs
from tests.torture.wire_rows import Row, row_of

KINDS: Mapping[str, tuple[str, ...]] = {
    "Plex": ("identity", "section list", "listing page", "download", "tag read", "tag edit"),
    "Imagga": ("usage", "tags"),
    "CompreFace": ("status", "config", "subjects", "examples", "recognise"),
    "OpenAI": ("models", "chat"),
}
PHASES = ("start", "middle", "last")
_MOST_SENT = 6
"""A picture is sent to an engine that bills so often at most in a run: five tries more after a 429."""


@dataclass
class Bench:
    """Where the trials of one service are made."""

    places: Places
    service: str

    @cached_property
    def undisturbed(self) -> tuple[list[str], State]:
        """The kinds of the requests of a scan in which nothing goes wrong, in order, and what it leaves."""
        with self.places.one() as place:
            ran = place.run("scan")
            if ran.code or place.harm():
                raise RuntimeError(f"an undisturbed scan ended with {ran.code}: {ran.err} {place.harm()}")
            return [request.kind for request in place.services[self.service].requests], place.state()

    def passed(self, kind: str, phase: str) -> int | None:
        """Requests of the kind before the one that goes wrong; None where that is another phase's."""
        number = self.undisturbed[0].count(kind)
        at = {"start": 0, "middle": number // 2, "last": number - 1}
        earlier = [at[each] for each in PHASES[: PHASES.index(phase)]]
        return None if at[phase] in earlier else at[phase]

    def trials(self, wanted: Container[Cell] | None = None) -> Iterator[Trial]:
        """A trial of each cell; of those `wanted` only, if given."""
        for kind in KINDS[self.service]:
            for wrong in wrongs(self.service, self.places.elsewhere.url):
                for phase in PHASES:
                    cell, passed = Cell(f"{self.service} {kind}", wrong.name, phase), self.passed(kind, phase)
                    if passed is not None and (wanted is None or cell in wanted):
                        yield self._trial(cell, kind, wrong, passed)

    def _trial(self, cell: Cell, kind: str, wrong: Wrong, passed: int) -> Trial:
        if wrong.away == "certificate" and not self.places.certificates:
            return untried(cell, "openssl is not installed")
        secure = self.service if wrong.away == "certificate" else ""
        with self.places.one(secure) as place:
            self.spoil(place, kind, wrong, passed)
            return _Trying(self, place, wrong, row_of(cell.boundary, cell.fault, cell.phase)).trial(cell)

    def spoil(self, place: Place, kind: str, wrong: Wrong, passed: int) -> None:
        service = place.services[self.service]
        if not wrong.away:
            service.fail(kind, wrong.fault, times=wrong.times, after=passed)
            return
        for engine in (place.billing, "CompreFace"):
            place.settings[f"ENGINE_{engine.upper()}_CONCURRENCY"] = "1"
        leave = partial(place.leave, self.service, wrong.away)
        order = self.undisturbed[0]
        index = [number for number, each in enumerate(order) if each == kind][passed]
        if index == 0:
            leave()
        else:
            before = order[index - 1]
            service.fail(before, Fault(then=leave), after=order[: index - 1].count(before))


@dataclass
class _Trying:
    """One fault: a scan that meets it, and one after it is gone."""

    bench: Bench
    place: Place
    wrong: Wrong
    row: Row

    def trial(self, cell: Cell) -> Trial:
        service = self.place.services[self.bench.service]
        ran = self.place.run("scan", limit=self.wrong.limit)
        if not service.struck or (self.wrong.away and len(service.requests) >= len(self.bench.undisturbed[0])):
            return untried(cell, "the scan did not come to it")
        first = self._first(ran)
        self.place.heal()
        return Trial(cell, self.row.name, first | self._second())

    def _first(self, ran: Ran) -> dict[Miss, str]:
        state = self.place.state()
        return missed(
            hung=f"{ran.seconds:.0f} s" if ran.hung else ran.waits.excess(),
            exit=None if ran.code in self.row.codes else f"{ran.code} for {self.row.codes}: {ran.err[:200]}",
            words=self._wrong_words(ran),
            lost=self._lost_at_once(ran, state),
            billed=self._billed(2 if self.wrong.loses else 1),
            leaked=self.place.leak(ran.out + ran.err),
        )

    def _wrong_words(self, ran: Ran) -> str | None:
        if "Traceback" in ran.out + ran.err:
            return "a traceback"
        if any(not line.startswith("tigertag: ") for line in ran.complaints):
            return f"more than a line: {ran.err[:200]}"
        said = ran.complaints if ran.code else ran.out.splitlines()
        if not any(re.search(self.row.words, line) for line in [*said, *([] if self.row.words else [""])]):
            return f"no line like `{self.row.words}`: {ran.err[:200]}"
        unknown = self.place.sends()["unknown"]
        name = self.place.billing.lower()
        shown = re.search(rf"(\d+) sent to {name} without an answer, maybe billed", ran.out)
        if unknown != (int(shown[1]) if shown else 0):
            return f"{unknown} are maybe billed: {ran.out[-300:]}"
        return None

    def _lost_at_once(self, ran: Ran, state: State) -> str | None:
        """What is missing although the fault is not about it, or though it ended with 0 and nothing waiting."""
        whole = self.bench.undisturbed[1]
        others = {"Imagga": "compreface", "OpenAI": "compreface", "CompreFace": "imagga"}.get(
            self.bench.service
        )
        if others is not None:
            missing = {each for each in whole.answered - state.answered if each[0] == others}
            if missing or state.pending:
                return f"{len(missing)} answers of {others}, {state.pending} photos not written"
        if ran.code == 0 and state != whole and "waiting" not in ran.out:
            return f"0, and not all is done: {whole.difference(state)}"
        return "; ".join(self.place.harm()) or None

    def _billed(self, most: int, again: int = 0) -> str | None:
        """Pictures that were charged for or sent too often, and bills that are not true (I18).

        `again`: once more in a run after the one that was disturbed.
        """
        charged, sent = self.place.charged, self.place.shown
        noted, truth = self.place.sends(), sum(charged.values())
        if max(charged.values(), default=0) > most:
            return f"a picture was charged for {max(charged.values())} times"
        if max(sent.values(), default=0) > _MOST_SENT + again or len(sent) > PHOTOS:
            return f"a picture was sent {max(sent.values())} times, {len(sent)} were"
        if not noted["billed"] <= truth <= noted["billed"] + noted["unknown"]:
            return f"{truth} were charged for and {dict(noted)} noted"
        return None

    def _second(self) -> dict[Miss, str]:
        """The next scan, and where photos failed for good one more that tries those again."""
        whole = self.bench.undisturbed[1]
        ran = self.place.run("scan")
        code = None if ran.code == 0 else f"then {ran.code} for 0: {ran.err[:200]}"
        loses_for_ever = self.wrong.loses and self.wrong.times > 1
        billed = self._billed(3 if loses_for_ever else 2 if self.wrong.loses else 1, again=1)
        if self.row.fails:
            if self.place.state() == whole:
                return missed(billed="what had failed was asked again by itself", exit=code)
            ran = self.place.run("scan", "--retry-failed")
        state = self.place.state()
        return missed(
            hung="then" if ran.hung else None,
            exit=code,
            billed=billed,
            lost=None if state == whole else f"for good: {whole.difference(state)}",
        ) | missed(lost="; ".join(self.place.harm()) or None)


def plex(full: bool) -> Iterator[Trial]:
    """All faults of Plex, or a few."""
    yield from _trials("Plex", full)


def imagga(full: bool) -> Iterator[Trial]:
    """All faults of Imagga, or a few."""
    yield from _trials("Imagga", full)


def compreface(full: bool) -> Iterator[Trial]:
    """All faults of CompreFace, or a few."""
    yield from _trials("CompreFace", full)


def openai(full: bool) -> Iterator[Trial]:
    """All faults of a server that speaks OpenAI's API, or a few."""
    yield from _trials("OpenAI", full)


def _trials(service: str, full: bool) -> Iterator[Trial]:
    with places("OpenAI" if service == "OpenAI" else "Imagga") as made:
        yield from Bench(made, service).trials(None if full else SHORT)


SHORT = frozenset(
    Cell(*cell)
    for cell in (
        ("Plex identity", "401, for ever", "start"),
        ("Plex identity", "certificate", "start"),
        ("Plex section list", "403, for ever", "start"),
        ("Plex listing page", "nested, for ever", "middle"),
        ("Plex listing page", "404, for ever", "middle"),
        ("Plex listing page", "redirect to another host, for ever", "start"),
        ("Plex download", "cut, once", "start"),
        ("Plex download", "no such host", "middle"),
        ("Plex tag read", "502, in a burst", "start"),
        ("Plex tag edit", "reset after the work, once", "start"),
        ("Plex tag edit", "reset before the work, once", "middle"),
        ("Plex tag edit", "429 Retry-After ten years, once", "last"),
        ("Imagga usage", "certificate", "start"),
        ("Imagga usage", "402, for ever", "start"),
        ("Imagga tags", "refused", "middle"),
        ("Imagga tags", "reset after the work, for ever", "last"),
        ("Imagga tags", "stall, once", "start"),
        ("Imagga tags", "1 GB, once", "start"),
        ("Imagga tags", "429 Retry-After a date, once", "middle"),
        ("Imagga tags", "403, once", "middle"),
        ("Imagga tags", "redirect to 169.254, for ever", "start"),
        ("CompreFace config", "HTML, for ever", "start"),
        ("CompreFace subjects", "401, for ever", "start"),
        ("CompreFace recognise", "reset after the work, once", "start"),
        ("CompreFace recognise", "504, in a burst", "middle"),
        ("CompreFace recognise", "413, once", "last"),
        ("OpenAI models", "wrong types, for ever", "start"),
        ("OpenAI chat", "reset after the work, for ever", "last"),
        ("OpenAI chat", "429 Retry-After ten years, for ever", "middle"),
        ("OpenAI chat", "redirect to another host, for ever", "start"),
    )
)
"""Of each way to go wrong one or two."""
