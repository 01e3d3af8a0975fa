"""vocabulary.schema.json, the example and the reader say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.test_config_vocabulary import FULL
from tigertag.config.vocabulary import ABOUT_A_TAG, HIERARCHIES, LANGUAGE, SECTIONS, read_vocabulary

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "vocabulary.schema.json").read_text(encoding="utf-8"))
EXAMPLE = (ROOT / "vocabulary.yaml.example").read_text(encoding="utf-8")


def faults(tmp_path: Path, text: str) -> tuple[bool, bool]:
    """Whether the schema, and whether the reader finds fault with a text."""
    path = tmp_path / "vocabulary.yaml"
    path.write_text(text, encoding="utf-8")
    found: list[str] = []
    read_vocabulary(path, path.name, found)
    return not Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text)), bool(found)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_every_key_and_no_other() -> None:
    tag = SCHEMA["$defs"]["tag"]["properties"]
    assert (set(SCHEMA["properties"]), set(tag)) == (set(SECTIONS), set(ABOUT_A_TAG))
    assert SCHEMA["properties"]["hierarchy"]["enum"] == [*HIERARCHIES, None]
    assert SCHEMA["$defs"]["language"]["pattern"] == f"^{LANGUAGE.pattern}$"
    assert tag["names"]["propertyNames"]["pattern"] == f"^{LANGUAGE.pattern}$"


def test_the_example_shows_every_key(tmp_path: Path) -> None:
    assert faults(tmp_path, EXAMPLE) == (False, False)
    shown = yaml.safe_load(EXAMPLE.replace("# allow:", "allow:").replace("# language:", "language:"))
    assert set(shown) == set(SECTIONS)
    assert {key for each in shown["tags"].values() for key in each} == set(ABOUT_A_TAG)


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        "",
        "allow:\ndeny:\nrename:\ntags:\nhierarchy:\nlanguage:\nmax_tags:\nagree:\ntrust:\nwrite_parents:\n",
        "deny: [no, 2021, 1.5]\nrename: {on: yes}\n",
        "tags: {a: {parent: , synonyms: , names: , min_confidence: , agree: , category: }, b: }\n",
    ],
)
def test_both_find_no_fault_with_what_is_right(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "alow: [a]\n",
        "allow: []\n",
        "deny: a\n",
        "deny: [[a]]\n",
        "deny: ['']\n",
        "rename: [a]\n",
        "rename: {a: [b]}\n",
        "tags: [a]\n",
        "tags: {a: b}\n",
        "tags: {a: {parnt: b}}\n",
        "tags: {a: {synonyms: b}}\n",
        "tags: {a: {names: b}}\n",
        "tags: {a: {names: {'1': b}}}\n",
        "tags: {a: {min_confidence: 101}}\n",
        "tags: {a: {agree: -1}}\n",
        "tags: {a: {category: 3}}\n",
        "hierarchy: all\n",
        "write_parents: 2\n",
        "language: x\n",
        "language: []\n",
        "max_tags: 0\n",
        "max_tags: 1.5\n",
        "agree: many\n",
        "trust: {one: 101}\n",
        "trust: 1\n",
        "- a\n",
    ],
)
def test_both_find_fault_with_what_is_wrong(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == (True, True)
