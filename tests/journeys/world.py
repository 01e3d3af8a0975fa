"""A Plex server, an Imagga account and a CompreFace server, and TigerTag set up for them as a user would."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from PIL import Image

from tests import pictures
from tests.servers.compreface import CompreFace
from tests.servers.imagga import Imagga
from tests.servers.plex import PlexServer
from tigertag.cli.main import cli

REAL = Path(__file__).parents[2].parent / "shared" / "photos"


def different_pictures(count: int, size: int = 480) -> Iterator[bytes]:
    """Pictures that all differ, made from the real photos by cropping a few pixels and encoding again."""
    originals = sorted(REAL.glob("*.jpg"))
    opened: list[Image.Image] = []
    for path in originals:
        with Image.open(path) as original:
            original.draft("RGB", (size, size))
            opened.append(original.convert("RGB"))
    opened = opened or [pictures.draw(seed, size=(size, size * 3 // 4)) for seed in range(20)]
    for number in range(count):
        image = opened[number % len(opened)]
        crop = number // len(opened)
        cut = image.crop((crop, crop, image.width - crop, image.height - 2 * crop))
        file = io.BytesIO()
        cut.save(file, "JPEG", quality=88)
        yield file.getvalue()


ALBUMS = ("", "Summer", "Summer/Sea", "Summer/Sea/Boats", "2019", "2019/Winter")


@dataclass
class World:
    """Everything a user has, and the program as they run it."""

    folder: Path
    plex: PlexServer
    imagga: Imagga
    compreface: CompreFace
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Result:
        """Runs `tigertag` with the settings in force."""
        env = self.folder / "tigertag.env"
        env.write_text("".join(f"{name}='{value}'\n" for name, value in self.settings.items()))
        env.chmod(0o600)
        return CliRunner().invoke(cli, ["--env-file", str(env), *arguments], catch_exceptions=False)

    def ok(self, *arguments: str) -> Result:
        """Runs it and expects exit code 0."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result

    def json(self, *arguments: str) -> Any:
        """What it prints with --json."""
        return json.loads(self.ok("--json", *arguments).stdout)

    def forget(self) -> None:
        """Counts start anew."""
        self.plex.forget_requests()
        for service in (self.imagga, self.compreface):
            service.requests.clear()
            service.counts.clear()

    def settle(self) -> None:
        """Returns when the engines have handled, and counted, what a process that is dead had sent them."""
        for service in (self.imagga, self.compreface):
            service.settle()

    def asked(self) -> tuple[int, int]:
        """Pictures sent to Imagga and to CompreFace."""
        return self.imagga.counts["tags"], self.compreface.counts["recognise"]

    def tags(self) -> dict[int, set[str]]:
        """What Plex shows, by rating key."""
        return {key: set(self.plex.tags(key)) for key in self.plex.photos}

    def assert_no_damage(self) -> None:
        assert self.plex.damage() == []
        assert list(self.imagga.damage) == []
        assert list(self.compreface.damage) == []


@contextmanager
def world(folder: Path, photos: int, *, limit: int = 100_000) -> Iterator[World]:
    """A section `Photos` of so many different pictures over three levels of albums."""
    with ExitStack() as stack:
        plex = stack.enter_context(PlexServer())
        imagga = stack.enter_context(Imagga(limit=limit, at_once=8))
        compreface = stack.enter_context(CompreFace())
        plex.add_section("Photos")
        for number, content in enumerate(different_pictures(photos)):
            tags = ("Holiday", "my dog") if number % 5 == 0 else ()
            plex.add_photo(
                ALBUMS[number % len(ALBUMS)],
                f"IMG_{number:04}.jpg",
                content,
                tags=tags,
                locked=number % 7 == 0,
                taken=f"2019-{number % 12 + 1:02}-{number % 28 + 1:02}",
            )
        yield World(folder, plex, imagga, compreface, _settings(folder, plex, imagga, compreface))


def _settings(folder: Path, plex: PlexServer, imagga: Imagga, compreface: CompreFace) -> dict[str, str]:
    return {
        "DB_URL": f"sqlite:///{folder / 'tigertag.db'}",
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "PLEX_SECTIONS": "Photos",
        **{f"ENGINE_IMAGGA_{name.upper()}": str(value) for name, value in imagga.options.items()},
        "ENGINE_IMAGGA_CONCURRENCY": "8",
        **{f"ENGINE_COMPREFACE_{name.upper()}": str(value) for name, value in compreface.options.items()},
    }
