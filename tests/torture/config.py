"""Settings that are wrong, terminals that are odd, runs that must change nothing (C1 to C4, R7, R8, I20)."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.pictures import jpeg_bytes
from tests.torture import clock, state
from tests.torture.config_faults import BOUNDARY, faults
from tests.torture.rig import Rig, rig
from tests.torture.shelf import Ran, Shelf, cold, shelf
from tests.torture.trial import Cell, Trial, missed

PLAIN = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def trials(full: bool) -> Iterator[Trial]:
    with shelf() as made:
        place(made)
        yield from faults(made, full)
        place(made)
        yield from streams(made, full)
        yield from dry_runs(made)
        if full:
            yield from open_to_all(made)
            yield from clocks(made)
    if full:
        yield from billing()
        yield from clock.trials()


def place(shelf: Shelf) -> None:
    shelf.clear()
    for number in range(3):
        shelf.put(f"{number}.jpg", jpeg_bytes(600 + number, size=(96, 72)))


def open_to_all(shelf: Shelf) -> Iterator[Trial]:
    """A file with a key in it that everybody can read is a warning (C3); without a key it is none."""
    url = f"DB_URL={shelf.url}\nENGINE_METADATA_NAME=metadata\n"
    for fault, text, mode, words in (
        ("key that all can read", url + "PLEX_TOKEN=abc\nPLEX_ENABLED=\n", 0o644, "can be read by everybody"),
        ("key that only the user can read", url + "PLEX_TOKEN=\n", 0o600, ""),
        ("no key, and all can read it", url, 0o644, ""),
    ):
        path = shelf.folder / "test.env"
        path.write_text(
            text.replace(
                "PLEX_ENABLED=\n",
                "PLEX_URL=http://127.0.0.1:9\nTARGET_PLEX_ENABLED=false\nSOURCE_PLEX_ENABLED=false\n",
            )
        )
        path.chmod(mode)
        ran = shelf.run("--env-file", str(path), "scan", str(shelf.photos), settled=False)
        said = [line for line in ran.complaints if "everybody" in line]
        is_right = bool(said) == bool(words) and "abc" not in ran.err
        yield Trial(
            Cell(BOUNDARY, fault, "scan"),
            misses=missed(
                exit=None if ran.code == 0 else f"{ran.code} for 0: {ran.err[:200]}",
                words=None if is_right else f"{ran.err[:300]}",
            ),
        )
        path.unlink()
        shelf.database.unlink(missing_ok=True)


# ── R7: streams ───────────────────────────────────────────────────────────────────────────────────────────

_STREAMS: Mapping[str, str] = {
    "nothing odd": "",
    "closed input": "<&-",
    "closed output": ">&-",
    "closed errors": "2>&-",
    "all closed": "<&- >&- 2>&-",
    "reader who goes at once": "| true",
    "reader of one line": "| head -1",
    "full disk": "> /dev/full",
}


def streams(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """No traceback, no prompt that hangs, and what is tagged is kept, whoever reads along."""
    place(shelf)
    shelf.put("gr\xfc\xdfe \U0001f42f.jpg", jpeg_bytes(610, size=(96, 72)))
    some = ("reader of one line",)
    for fault, redirection in _STREAMS.items():
        for locale, env in {"": {}, ", LANG=C": PLAIN}.items():
            if not full and (fault not in some or not locale):
                continue
            shelf.database.unlink(missing_ok=True)
            first = _piped(shelf, redirection, env)
            lost = sum(count == 3 for count in shelf.answered().values())
            # What could not be printed is said, and printed by the next run.
            codes = {"full disk": (8,), "reader who goes at once": (0, 3), "reader of one line": (0, 3)}
            wanted = codes.get(fault, (0,))
            note = "a traceback" if b"Traceback" in first.stderr or b"Exception" in first.stderr else None
            yield Trial(
                Cell(BOUNDARY, f"{fault}{locale}", "scan without a terminal"),
                misses=missed(
                    exit=None if first.returncode in wanted else f"{first.returncode}: {first.stderr[:200]!r}",
                    words=note,
                    lost=None if lost == 4 else f"{lost} of 4 photos are tagged",
                ),
            )
    if not full:
        return
    shelf.database.unlink(missing_ok=True)
    shelf.scan()
    done = cold(shelf, "undo", "--last", env=PLAIN)
    yield Trial(
        Cell(BOUNDARY, "a question without a terminal", "undo"),
        misses=missed(exit=None if done.returncode == 9 else f"{done.returncode} for 9: {done.stderr[:200]!r}"),
    )


def _piped(shelf: Shelf, redirection: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """The program as a shell runs it, with the program's own code."""
    script = f'"$@" {redirection.partition("|")[0]}'
    if "|" in redirection:
        script = f'{{ "$@"; echo $? >&3; }} {redirection}'
    return cold(shelf, "scan", str(shelf.photos), env=env, shell=script)


# ── I20: dry runs ─────────────────────────────────────────────────────────────────────────────────────────


def dry_runs(shelf: Shelf) -> Iterator[Trial]:
    """Nothing is made, changed or remembered."""
    commands: Mapping[str, Callable[[], Ran]] = {
        "scan --dry-run": lambda: shelf.scan("--dry-run"),
        "write --dry-run": lambda: shelf.run("write", "--dry-run"),
        "undo --all --dry-run": lambda: shelf.run("undo", "--all", "--dry-run"),
    }
    for phase in ("no database", "after a scan"):
        place(shelf)
        if phase == "after a scan":
            shelf.scan()
            shelf.put("new.jpg", jpeg_bytes(620, size=(96, 72)))
            (shelf.photos / "0.jpg").unlink()
        tree = _tree(shelf)
        dump = state.dump(shelf.url) if shelf.database.exists() else {}
        for command, run in commands.items():
            ran = run()
            after = state.dump(shelf.url) if shelf.database.exists() else {}
            changed = sorted(name for name, stamp in _tree(shelf).items() if tree.get(name) != stamp)
            gone = sorted(tree.keys() - _tree(shelf).keys())
            yield Trial(
                Cell(BOUNDARY, command, phase),
                misses=missed(
                    exit=None if ran.code == 0 else f"{ran.code} for 0: {ran.err[:200]}",
                    words=ran.wrong_words(),
                    lost=f"changed {changed}, gone {gone}"
                    if changed or gone
                    else state.difference(dump, after),
                ),
            )


def _tree(shelf: Shelf) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder with its time and what is in it."""
    found = {}
    for folder in (shelf.photos, shelf.home, shelf.tmp):
        for path in (folder, *folder.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (status.st_mtime_ns, status.st_mode, content)
    return found


# ── R8: time ──────────────────────────────────────────────────────────────────────────────────────────────


def clocks(shelf: Shelf) -> Iterator[Trial]:
    """Time zones change nothing of what is kept, and a photo may be of any time."""
    kept = []
    zones = (
        "UTC",
        "Asia/Kathmandu",
        "America/St_Johns",
        "Pacific/Kiritimati",
        "Europe/Berlin",
        "nonsense/zone",
    )
    for zone in zones:
        place(shelf)
        for number in range(3):
            os.utime(shelf.photos / f"{number}.jpg", (1_616_893_200 + 1_800 * number,) * 2)
        shelf.env["TZ"] = zone
        ran = shelf.scan()
        again = shelf.scan()
        kept.append([str(row).replace(str(shelf.photos), "") for row in state.dump(shelf.url)["analysis"]])
        codes = (ran.code, again.code)
        yield Trial(
            Cell(BOUNDARY, f"time zone {zone}", "scan"),
            misses=missed(
                exit=None if codes == (0, 0) else f"{codes} for (0, 0): {ran.err[:200]}",
                words=ran.wrong_words() or (None if "Nothing to do" in again.out else again.out[-200:]),
                lost=None if len(kept[-1]) == len(kept[0]) == 9 else f"{len(kept[-1])} answers",
            ),
        )
    place(shelf)
    moments = {
        "before 1970": -10_000_000_000,
        "at the start": 0,
        "in 2500": 16_700_000_000,
        "beyond all": 253_500_000_000,
    }
    for number, moment in enumerate(moments.values()):
        path = shelf.put(f"time{number}.jpg", jpeg_bytes(630 + number, size=(96, 72)))
        os.utime(path, (moment, moment))
    ran = shelf.scan()
    again = shelf.scan()
    answered = shelf.answered()
    for number, fault in enumerate(moments):
        yield Trial(
            Cell(BOUNDARY, f"photo changed {fault}", "scan"),
            misses=missed(
                exit=None if (ran.code, again.code) == (0, 0) else f"{ran.code}, {again.code}: {ran.err[:200]}",
                words=None if "Nothing to do" in again.out else again.out[-200:],
                lost=None if answered[f"time{number}.jpg"] == 3 else "not tagged",
            ),
        )


# ── C4, C5: what is billed ────────────────────────────────────────────────────────────────────────────────


def billing() -> Iterator[Trial]:
    """Settings that would be billed again are asked about; a policy costs nothing; servers are told apart."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, rig(Path(folder)) as made:
        made.run("scan")
        done = made.keep()
        for fault, settings, codes, words in (
            (
                "another language",
                {"ENGINE_IMAGGA_LANGUAGE": "de"},
                (9,),
                "photos that were paid for would be asked again",
            ),
            ("another policy", {"ENGINE_IMAGGA_MIN_CONFIDENCE": "70"}, (0,), ""),
            ("another prefix", {"ENGINE_IMAGGA_PREFIX": "tt"}, (0,), ""),
        ):
            made.put_back(done)
            ended = made.run("scan", settings=settings)
            yield Trial(
                Cell(BOUNDARY, fault, "scan"),
                misses=missed(
                    exit=None if ended.code in codes else f"{ended.code} for {codes}: {ended.last_words}",
                    words=None if re.search(words, ended.err) else ended.err[:300],
                    billed=_sent(made),
                    lost=made.damage(),
                ),
            )


def _sent(made: Rig) -> str | None:
    number = len(made.world.imagga.billed) + len(made.world.compreface.recognised)
    return f"{number} pictures were sent" if number else None
