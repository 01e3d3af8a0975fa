"""A coordinator that can be killed: `python -m tests.executors.coordinator EXECUTOR FOLDER`. No ctrl-c."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.executors.tasks import Meet
from tigertag.executors import open_workers

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda number, frame: None)
    workers = open_workers(sys.argv[1])
    print(workers.submit(Meet(), [Path(sys.argv[2])], {}).result(), flush=True)
    workers.close()
