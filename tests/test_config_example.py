"""`.env.example` and `vocabulary.yaml.example` say what there is, all of it and nothing else."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tigertag import plugins
from tigertag.config import fields_of, load
from tigertag.config.legacy import SHORT_WAY, short_name
from tigertag.config.vocabulary import read_vocabulary
from tigertag.vocabulary.lexicon import Lexicon
from tigertag.vocabulary.rule import Rule

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
VARIABLE = re.compile(r"(?:# )?([A-Z][A-Z0-9_]*)=(.*)")


def variables_of(family: plugins.Family, name: str) -> set[str]:
    options = plugins.options_of(plugins.find(family, name))
    suffixes = ["NAME", "ENABLED", *(field.suffix for field in fields_of(options))]
    return {short_name(f"{family.upper()}_{name.upper()}_{suffix}") for suffix in suffixes}


def built_in() -> list[tuple[plugins.Family, str]]:
    return [
        (family, one.name)
        for family in plugins.FAMILIES
        for one in plugins.installed(family)
        if one.path.startswith("tigertag.")
    ]


def in_example() -> dict[str, str]:
    found = [match.groups() for line in EXAMPLE if (match := VARIABLE.fullmatch(line))]
    return {name: value for name, value in reversed(found)}


def test_the_example_names_every_variable_and_no_other() -> None:
    known = {"DB_URL", "VOCABULARY", "TIGERTAG_ENV_FILE", *SHORT_WAY}
    for family, name in built_in():
        known |= variables_of(family, name)
    assert set(in_example()) == known


def test_each_variable_of_the_example_has_a_line_on_it() -> None:
    described = [
        line.startswith("# ") and line[-1] in ".:"
        for line, after in pairwise(EXAMPLE)
        if VARIABLE.fullmatch(after) and not VARIABLE.fullmatch(line)
    ]
    assert all(described)
    assert len(described) >= len(in_example())


@pytest.mark.parametrize(("family", "name"), built_in())
def test_the_example_shows_the_defaults(family: plugins.Family, name: str) -> None:
    example = in_example()
    for field in fields_of(plugins.options_of(plugins.find(family, name))):
        if field.default:
            assert example[short_name(f"{family.upper()}_{name.upper()}_{field.suffix}")] == field.default


def test_a_copy_of_the_example_is_a_good_configuration_that_says_nothing(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    settings = load(env_file=None, environ={}, cwd=tmp_path)
    assert settings.sources == ()
    assert {one.origin for one in (*settings.engines, *settings.targets)} == {"default"}
    assert settings.warnings == ()


def test_every_value_that_the_example_shows_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    for name in ("vocabulary.yaml", "faces/faces.yaml", "look-for.txt"):
        (tmp_path / name).write_text("")
    needed = {"ENGINE_IMAGGA_API_KEY": "key", "ENGINE_IMAGGA_API_SECRET": "secret", "PLEX_TOKEN": "token"}
    needed |= {"ENGINE_COMPREFACE_API_KEY": "00000000-0000-0000-0000-000000000002", "ENGINE_OPENAI_MODEL": "m"}
    shown = {name: value for name, value in in_example().items() if value}
    shown.pop("TIGERTAG_ENV_FILE", None)  # it leads to another file
    settings = load(env_file=None, environ=needed | shown, cwd=tmp_path)
    assert {one.plugin for one in settings.engines} >= {
        name for family, name in built_in() if family == "engine"
    }
    assert settings.warnings == ()


def test_the_example_of_a_vocabulary_can_be_read() -> None:
    faults: list[str] = []
    words = read_vocabulary(ROOT / "vocabulary.yaml.example", "vocabulary.yaml.example", faults)
    found = Lexicon(words)
    assert (faults, found.canonical("doggy"), found.word("indoors").barred) == ([], "dog", Rule.DENIED)
