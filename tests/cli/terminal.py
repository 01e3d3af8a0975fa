"""The command line as a person uses it: in this process, and as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tests.pictures import jpeg_bytes
from tigertag.cli.main import cli


@dataclass
class Terminal:
    """A folder of its own with a database, and photos in `pictures`, that one engine looks at."""

    folder: Path
    settings: dict[str, str] = field(default_factory=lambda: {"ENGINE_METADATA_NAME": "metadata"})

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def draw(self, *names: str, taken: str = "2020:05:01 10:00:00", **how: Any) -> None:
        """A different photo for each name. A folder lists its photos by when the files were last changed."""
        moment = datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").timestamp()
        for name in names:
            path = self.pictures / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg_bytes(len(list(self.pictures.rglob("*"))), size=(64, 48), taken=taken, **how))
            os.utime(path, (moment, moment))

    def env_file(self) -> Path:
        path = self.folder / "test.env"
        settings = {"DB_URL": f"sqlite:///{self.folder / 'tigertag.db'}"} | self.settings
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items() if value))
        path.chmod(0o600)
        return path

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["--env-file", str(self.env_file()), *arguments], input=given)

    def ok(self, *arguments: str) -> str:
        """What it prints, with exit code 0."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def scan(self, *arguments: str) -> str:
        return self.ok("scan", str(self.pictures), *arguments)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The lines of JSON that it prints, whatever its exit code."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    def start(self, *arguments: str, env: dict[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        """The same in a process of its own, without a terminal."""
        command = [sys.executable, "-m", "tigertag", "--env-file", str(self.env_file()), *arguments]
        pipes: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen(command, env=os.environ | (env or {}), cwd=self.folder, **pipes | more)
