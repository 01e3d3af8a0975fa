"""README.md and docs/ say what there is: commands, options, variables, exit codes. What they show works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from tests.pages import (
    EVERY_PAGE,
    PAGES,
    README,
    ROOT,
    anchors,
    blocks,
    code,
    links,
    page,
    prose,
    rows,
    section,
    shell_lines,
)
from tests.torture.boundaries import BOUNDARIES
from tigertag import errors, plugins
from tigertag.cli.main import cli
from tigertag.config import fields_of
from tigertag.config.legacy import SHORT_WAY, short_name
from tigertag.config.vocabulary import read_vocabulary
from tigertag.meaning import words
from tigertag.options import EngineOptions
from tigertag.vocabulary.lexicon import Lexicon

SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
STARTS = ("A plain folder", "Plex and Imagga", "Plex and CompreFace")
SEE_THEN_WRITE = ("check", "scan --limit 20 --no-write", "write --dry-run", "write")
REFERENCE = "\n".join(text for name, text in PAGES.items() if name != "README.md")


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
    ours = re.sub(r"^dask .*$", "", EVERY_PAGE, flags=re.M)
    spoken = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert spoken <= known


def spoken_commands() -> list[str]:
    """Every command that stands in a block or in the text, but for those that are a name in a table."""
    said = [*shell_lines(EVERY_PAGE), *code(EVERY_PAGE)]
    return sorted(
        {line.strip() for line in said if line.startswith("tigertag ")} - {name for name, _ in walk()}
    )


@pytest.mark.parametrize("line", spoken_commands())
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


def test_content_tags_for_a_folder_take_three_commands_or_four_with_ollama() -> None:
    clip = ["pip install '.[clip]'", "tigertag scan ~/Pictures --yes", "tigertag tags"]
    assert shell_lines(section("CLIP", page("engines"))) == clip
    ollama = shell_lines(section("OpenAI-compatible servers", page("engines")))
    assert len(ollama) == 4
    assert shell_lines(section("What is in the pictures, without an account")) == clip + ollama


def test_make_targets_that_are_named_are_there() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`| +#|$)", EVERY_PAGE, re.M))
    assert {"demo", "test", "check", "bench"} <= named <= made


# ── exit codes and settings ───────────────────────────────────────────────────────────────────────────────


def codes_of(error: type[errors.TigerTagError]) -> set[int]:
    return {error.exit_code}.union(*(codes_of(below) for below in error.__subclasses__()))


def test_every_exit_code_is_explained() -> None:
    table = re.findall(r"^\| (\d[\d, ]*) \|", section("Exit codes", page("troubleshooting")), re.M)
    named = {int(code) for cell in table for code in cell.split(",")}
    assert named == codes_of(errors.TigerTagError) | {130, 143}


@pytest.mark.parametrize(("family", "name"), built_in())
def test_every_variable_stands_there_with_its_default(family: plugins.Family, name: str) -> None:
    table = rows(REFERENCE)
    shown = {variable: table[variable][0].strip("`") for variable in variables(family, name)}
    needed = {variable for variable, default in shown.items() if default == "needed"}
    assert {
        variable: "" if variable in needed else default for variable, default in shown.items()
    } == variables(family, name)


@pytest.mark.parametrize(("family", "name"), built_in())
def test_every_variable_stands_in_the_example(family: plugins.Family, name: str) -> None:
    shown = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.M))
    assert variables(family, name).keys() <= shown


def known_variables() -> set[str]:
    return {
        *("DB_URL", "VOCABULARY", "TIGERTAG_ENV_FILE", *SHORT_WAY),
        *(name for one in built_in() for name in variables(*one)),
    }


def test_no_variable_is_named_that_there_is_not() -> None:
    known = known_variables()
    named = {name for name in rows(REFERENCE) if re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)+", name)}
    assert named <= known | {name for name in named if name.removesuffix("_FILE") in known}
    assert known - {"VOCABULARY"} <= named


@pytest.mark.parametrize("name", PAGES)
def test_variables_that_the_text_speaks_of_are_there(name: str) -> None:
    known, text = known_variables(), PAGES[name]
    spoken = set(re.findall(r"\b(?:SOURCE|ENGINE|TARGET|PLEX|DB|TIGERTAG)_[A-Z0-9_]*[A-Z0-9]\b", text))
    # `ENGINE_MY_FACES_NAME` declares an engine of one's own; the page that shows how to write one has two.
    own = {each for each in spoken if re.match(r".*_NAME$|ENGINE_(TAGBOX|BRIGHTNESS)_", each)}
    assert {each for each in spoken - own - known if each.removesuffix("_FILE") not in known} == set()
    of_any_engine = {field.suffix for field in fields_of(EngineOptions)} | {"NAME", "ENABLED"}
    common = set(re.findall(r"ENGINE_<ID>_([A-Z_]*[A-Z])", text)) - {"MIDDLE"}
    assert common <= of_any_engine


def test_every_engine_stands_on_the_first_page_with_its_section() -> None:
    table = rows(section("Engines"))
    assert table.keys() >= {name for family, name in built_in() if family == "engine"}


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
    faces, own = blocks(page("engines"), "yaml")
    [vocabulary] = blocks(page("vocabulary"), "yaml")
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


# ── security ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_leaves_the_house_is_told_of_every_engine() -> None:
    told = section("What leaves the house", SECURITY)
    for family, name in built_in():
        assert family != "engine" or f"**{name}**" in told.lower() or f"**{name}-compatible" in told.lower(), (
            name
        )


def test_what_security_says_is_tortured_can_be() -> None:
    named = set(re.findall(r"`(?:make torture ONLY=)?(\w+)`", section("What is promised", SECURITY)))
    assert named & BOUNDARIES.keys() >= {"secrets", "plex", "imagga", "compreface", "openai", "xmp"}
    assert set(re.findall(r"ONLY=(\w+)", SECURITY)) <= BOUNDARIES.keys()


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*PAGES, "CHANGELOG.md", "SECURITY.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in links(text):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        to = (ROOT / name).parent / file if file else ROOT / name
        assert to.is_file(), link
        assert not anchor or anchor in anchors(to.read_text(encoding="utf-8")), link


def test_the_first_page_is_short_and_leads_to_every_other() -> None:
    assert len(README.splitlines()) <= 350
    assert {link.partition("#")[0] for link in links(section("Read on"))} == PAGES.keys() - {"README.md"}


@pytest.mark.parametrize("name", PAGES)
def test_no_heading_stands_twice_on_a_page(name: str) -> None:
    headings = re.findall(r"^#+ .*$", prose(PAGES[name]), re.M)
    assert len(headings) == len({heading.lstrip("# ") for heading in headings})
