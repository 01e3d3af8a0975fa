"""A scan in a process of its own, so that its memory is its own: `python -m benchmarks.alone`."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.standins import Settings

MIB = 1 << 20
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Alone:
    """What a scan took by itself."""

    due: int
    seconds: float
    before: int
    """Bytes that the process held at most before it began, with everything imported."""
    peak: int
    """Bytes that it held at most until the end. Workers are processes of their own."""


def scan_alone(folder: Path, settings: Settings) -> Alone:
    """Scans everything with the database in `folder`. Raises RuntimeError where anything was not done."""
    order = json.dumps({"folder": str(folder), "settings": settings})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.alone"], input=order, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError("the scan in a process of its own has failed")
    return Alone(**json.loads(done.stdout))


def peak() -> int:
    """Bytes that this process has held at most."""
    if _STATUS.exists():
        # The resource module counts what the parent held when it started this process.
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        if found:
            return int(found[1]) << 10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def main() -> None:
    from benchmarks.place import app_for, scan_all

    order = json.load(sys.stdin)
    app = app_for(Path(order["folder"]), order["settings"])
    before, began = peak(), time.perf_counter()
    report = scan_all(app)
    print(json.dumps(asdict(Alone(report.due, time.perf_counter() - began, before, peak()))))


if __name__ == "__main__":
    main()
