"""A budget that holds over several runs of the program, two of which are killed (I19)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.journeys.world import World, world

BUDGET, WORKERS = 37, 8


def killed_at(there: World, requests: int) -> None:
    """Kills a scan once the service has had so many requests."""
    there.run("config")  # writes the settings down
    command = [sys.executable, "-m", "tigertag", "--env-file", str(there.folder / "tigertag.env"), "scan"]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while there.imagga.counts["tags"] < requests and time.monotonic() < until:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    process.kill()
    process.wait(30)


def test_the_service_gets_no_more_than_the_budget_whatever_is_killed(tmp_path: Path) -> None:
    with world(tmp_path, BUDGET + 8) as there:
        there.settings = {
            name: value for name, value in there.settings.items() if not name.startswith("ENGINE_COMPREFACE")
        }
        there.settings |= {
            "ENGINE_IMAGGA_BUDGET": f"{BUDGET}/month",
            "ENGINE_IMAGGA_COST_PER_CALL": "0.5",
            "ENGINE_IMAGGA_CONCURRENCY": str(WORKERS),
        }
        there.imagga.work = 0.05
        for requests in (4, 20):
            killed_at(there, requests)
        last = there.ok("scan").output
        assert "(37 of 37 calls used this month; next on 1 " in last
        there.ok("scan")
        assert BUDGET - 2 * WORKERS <= there.imagga.counts["tags"] <= BUDGET
        (imagga,) = [each for each in there.json("status") if each["type"] == "engine"]
        assert (imagga["budget"]["used"], imagga["budget"]["left"]) == (BUDGET, 0)
        assert "0 of 37 calls left this month" in there.ok("status").output
        forecast = there.ok("scan", "--dry-run").output
        assert "0 of them now" in forecast
