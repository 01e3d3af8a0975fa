"""README.md says what there is: every command, option, variable and exit code; and what it shows works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from tests.engines.contract import Bench, EngineContract
from tests.pictures import jpeg_bytes
from tigertag import errors, plugins
from tigertag.cli.main import cli
from tigertag.config import fields_of
from tigertag.config.legacy import SHORT_WAY, short_name
from tigertag.config.vocabulary import read_vocabulary
from tigertag.meaning import words
from tigertag.vocabulary.lexicon import Lexicon

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
STARTS = ("A plain folder", "Plex and Imagga", "Plex and CompreFace")
SEE_THEN_WRITE = ("check", "scan --limit 20 --no-write", "write --dry-run", "write")


def section(title: str) -> str:
    """The text below a heading, to the next of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.M | re.S)
    assert found, f"README.md has no heading {title}"
    rank = len(found[1])
    rest = README[found.end(1) + len(title) + 2 :]
    return re.split(rf"^#{{1,{rank}}} ", rest, maxsplit=1, flags=re.M)[0]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def shell_lines(text: str = README) -> list[str]:
    return [line.partition("  #")[0] for block in blocks(text, "sh") for line in block.splitlines()]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables of a text by what stands as code in the first cell; cells after it as they are."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for name in re.findall(r"`([^`]+)`", cells[0]) if cells else ():
            found[name] = cells[1:]
    return found


def walk(command: click.Command = cli, name: str = "tigertag") -> Iterator[tuple[str, click.Command]]:
    """Every command below `command` with its full name."""
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for short in command.list_commands(context):
        found = command.get_command(context, short)
        assert found is not None
        yield f"{name} {short}", found
        yield from walk(found, f"{name} {short}")


SHARED = {option for each in cli.params for option in each.opts}


def own_options(command: click.Command) -> set[str]:
    """The long options of a command that not every command has."""
    options = {option for each in command.params if isinstance(each, click.Option) for option in each.opts}
    return {option for option in options - SHARED if option.startswith("--")}


def built_in() -> list[tuple[plugins.Family, str]]:
    return [
        (family, one.name)
        for family in plugins.FAMILIES
        for one in plugins.installed(family)
        if one.path.startswith("tigertag.")
    ]


def variables(family: plugins.Family, name: str) -> dict[str, str]:
    """Every variable of a plugin with its default."""
    fields = fields_of(plugins.options_of(plugins.find(family, name)))
    defaults = {"NAME": name, "ENABLED": "true", **{field.suffix: field.default for field in fields}}
    return {
        short_name(f"{family.upper()}_{name.upper()}_{suffix}"): value for suffix, value in defaults.items()
    }


# ── commands ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_of_commands_names_every_command_and_no_other() -> None:
    named = {name for name in rows(section("Commands")) if name.startswith("tigertag")}
    there = {name for name, _ in walk()}
    # `people` and `db` do nothing by themselves that their own commands do not.
    groups = {name for name, command in walk() if isinstance(command, click.Group)}
    assert there - groups <= named <= there


@pytest.mark.parametrize(("name", "command"), list(walk()))
def test_the_table_of_commands_names_every_option_and_no_other(name: str, command: click.Command) -> None:
    named = rows(section("Commands")).get(name)
    assert set(re.findall(r"--[a-z-]+", named[-1] if named else "")) == own_options(command)


def test_the_options_of_every_command_are_all_named() -> None:
    table = rows(section("Commands"))
    assert {name for name in table if name.startswith("-")} == SHARED | {"--help", "-h"}


def test_options_that_the_text_speaks_of_are_there() -> None:
    known = {option for _, command in walk() for option in own_options(command)} | SHARED | {"--help"}
    ours = re.sub(r"^dask .*$", "", README, flags=re.M)
    spoken = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert spoken <= known


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("tigertag")])
def test_the_commands_shown_are_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    result = CliRunner().invoke(cli, [*words, *(() if "--help" in words else ("--help",))])
    assert result.exit_code == 0, result.output
    assert "Usage: " in result.stdout


@pytest.mark.parametrize("title", STARTS)
def test_a_start_shows_before_it_writes_in_six_commands_at_most(title: str) -> None:
    commands = shell_lines(section(title))
    assert len(commands) <= 6
    spoken = [line.removeprefix("tigertag ").replace(" ~/Pictures", "") for line in commands]
    assert [line for line in spoken if line in SEE_THEN_WRITE] == list(SEE_THEN_WRITE)


def test_make_targets_that_are_named_are_there() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`| +#|$)", README, re.M))
    assert {"demo", "test", "check", "bench"} <= named <= made


# ── exit codes and settings ───────────────────────────────────────────────────────────────────────────────


def codes_of(error: type[errors.TigerTagError]) -> set[int]:
    return {error.exit_code}.union(*(codes_of(below) for below in error.__subclasses__()))


def test_every_exit_code_is_explained() -> None:
    table = re.findall(r"^\| (\d[\d, ]*) \|", section("Exit codes"), re.M)
    named = {int(code) for cell in table for code in cell.split(",")}
    assert named == codes_of(errors.TigerTagError) | {130, 143}


@pytest.mark.parametrize(("family", "name"), built_in())
def test_every_variable_stands_there_with_its_default(family: plugins.Family, name: str) -> None:
    table = rows(section("Configuration"))
    shown = {variable: table[variable][0].strip("`") for variable in variables(family, name)}
    needed = {variable for variable, default in shown.items() if default == "needed"}
    assert {
        variable: "" if variable in needed else default for variable, default in shown.items()
    } == variables(family, name)


@pytest.mark.parametrize(("family", "name"), built_in())
def test_every_variable_stands_in_the_example(family: plugins.Family, name: str) -> None:
    shown = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.M))
    assert variables(family, name).keys() <= shown


def test_no_variable_is_named_that_there_is_not() -> None:
    known = {"DB_URL", "VOCABULARY", "TIGERTAG_ENV_FILE", *SHORT_WAY}
    known |= {name for one in built_in() for name in variables(*one)}
    named = {name for name in rows(section("Configuration")) if re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)+", name)}
    assert named <= known | {name for name in named if name.removesuffix("_FILE") in known}
    assert known - {"VOCABULARY"} <= named


@pytest.mark.parametrize("title", STARTS[1:])
def test_the_settings_of_a_start_are_good_ones(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / ".env").write_text(blocks(section(title), "ini")[0])
    (tmp_path / ".env").chmod(0o600)
    assert len(dotenv_values(tmp_path / ".env")) <= 5
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["config"])
    assert result.exit_code == 0, result.output


def test_the_yaml_shown_is_what_the_readers_expect(tmp_path: Path) -> None:
    own, vocabulary, faces = blocks(README, "yaml")
    (tmp_path / "cottage.yaml").write_text(own, encoding="utf-8")
    assert [each.name for each in words.read(tmp_path / "cottage.yaml")] == [
        "whiteboard photo",
        "our cottage road",
        "by day",
        "by night",
    ]
    path, faults = tmp_path / "vocabulary.yaml", list[str]()
    path.write_text(vocabulary, encoding="utf-8")
    read = read_vocabulary(path, path.name, faults)
    assert faults == []
    assert Lexicon(read).word("ball gown").shown == "Ballkleid"
    assert yaml.safe_load(faces) == {"faces": [{"tag": "Anna", "images": [{"name": "anna/2019-beach.jpg"}]}]}


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────


def slug(heading: str) -> str:
    """The anchor that a page of Markdown gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.*)$", plain, re.M)}
    anchors |= set(re.findall(r'<a id="([^"]+)">', plain))
    for link in re.findall(r"\]\(([^)]+)\)", plain):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif "://" not in link:
            assert (ROOT / link).is_file(), link


# ── the engine of one's own ───────────────────────────────────────────────────────────────────────────────

_EXAMPLES = blocks(section("An engine of your own"), "python")


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the engine that README.md shows; Python finds it."""
    (tmp_path / "brightness.py").write_text(_EXAMPLES[0])
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("brightness", None)


def test_the_engine_shown_is_short() -> None:
    assert len(_EXAMPLES[0].splitlines()) < 60


class TestTheEngineShown(EngineContract):
    @pytest.fixture
    def bench(self, own_engine: Path) -> Bench:
        plugin: Any = plugins.find("engine", "brightness.Brightness")
        return Bench(plugin, options={})


def test_the_engine_shown_tags_photos_by_its_dotted_path(own_engine: Path) -> None:
    (own_engine / "photos").mkdir()
    (own_engine / "photos" / "night.jpg").write_bytes(jpeg_bytes(1, daypart="night"))
    done = subprocess.run(
        [sys.executable, "-m", "tigertag", "scan", "photos"],
        cwd=own_engine,
        env={**os.environ, "PYTHONPATH": f".:{ROOT}", "ENGINE_BRIGHTNESS_NAME": "brightness.Brightness"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "night.jpg  dark" in done.stdout


def test_the_contract_shown_runs(own_engine: Path) -> None:
    (own_engine / "test_brightness.py").write_text(_EXAMPLES[1])
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            str(own_engine / "test_brightness.py"),
        ],
        cwd=own_engine,
        env={**os.environ, "PYTHONPATH": f".:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert " passed" in done.stdout and done.returncode == 0, done.stdout
