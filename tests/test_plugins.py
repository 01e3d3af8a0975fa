"""Plugins are found by entry point or dotted path, and what is wrong with one is said in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from tests.plugins_for_tests import Painter, Poet
from tigertag import plugins
from tigertag.errors import ConfigError
from tigertag.model import Memory


def fault_of(family: plugins.Family, name: str) -> str:
    with pytest.raises(ConfigError) as caught:
        plugins.find(family, name)
    return str(caught.value)


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def register(folder: Path, monkeypatch: pytest.MonkeyPatch, distribution: str, line: str) -> None:
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tigertag.engines]\n{line}\n")
    monkeypatch.syspath_prepend(str(folder))


def test_a_dotted_path_names_a_class() -> None:
    found: object = plugins.find("engine", "tests.plugins_for_tests.Painter")
    assert found is Painter


def test_an_entry_point_of_another_package_is_found_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, monkeypatch, "others", "poet = tests.plugins_for_tests:Poet")
    found: object = plugins.find("engine", "poet")
    assert found is Poet
    assert plugins.Installed("poet", "tests.plugins_for_tests.Poet") in plugins.installed("engine")


def test_an_engine_of_ours_whose_extra_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ['no-such-library>=2; extra == "ocr"', 'no-such-library; extra == "gpu"', "pydantic>=2"]
    monkeypatch.setattr(plugins, "requires", lambda name: asked)
    found = {one.name: (one.ok, one.why) for one in plugins.installed("engine")}
    assert found["ocr"] == (False, "needs tigertag[ocr]: pip install 'tigertag[ocr]'")
    assert found["clip"] == found["imagga"] == (True, "")


def test_the_name_of_the_first_readme_means_the_built_in() -> None:
    assert plugins.registered_name("engine", "tigertag.imagga") == "imagga"
    assert plugins.registered_name("engine", "my_package.MyEngine") == "my_package.MyEngine"


@pytest.mark.parametrize("name", ["imaga", "tigertag.imaga"])
def test_an_unknown_name_suggests_and_lists_the_installed(name: str) -> None:
    said = fault_of("engine", name)
    assert f"no engine called `{name}` (did you mean `imagga`?)" in said
    listed = said.partition("installed are ")[2].split(", ")
    assert listed == sorted(listed) and {"compreface", "imagga", "metadata"} <= set(listed)


def test_a_plugin_of_another_family_is_told_apart() -> None:
    assert "no engine called `folder` (it is a source)" in fault_of("engine", "folder")


def test_a_missing_package_is_named() -> None:
    assert fault_of("engine", "nobodys_package.Engine") == (
        "There is no engine `nobodys_package.Engine`: no module `nobodys_package` is installed"
    )


def test_a_missing_class_is_named() -> None:
    said = fault_of("engine", "tests.plugins_for_tests.Painterr")
    assert "the module `tests.plugins_for_tests` has no class `Painterr`" in said


def test_a_plugin_that_lacks_a_library_names_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, monkeypatch, "lacks_library", "import no_such_library\n")
    assert "it needs the module `no_such_library`, which is not installed" in fault_of(
        "engine", "lacks_library.X"
    )


@pytest.mark.parametrize(
    ("text", "why"), [("1 / 0", "ZeroDivisionError: division by zero"), ("def", "SyntaxError")]
)
def test_a_plugin_that_breaks_at_import_says_how_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    package(tmp_path, monkeypatch, "breaks", text)
    monkeypatch.delitem(sys.modules, "breaks", raising=False)
    said = fault_of("engine", "breaks.X")
    assert why in said
    assert "\n" not in said


def test_two_packages_that_claim_a_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(tmp_path / "one", monkeypatch, "one", "poet = tests.plugins_for_tests:Poet")
    register(tmp_path / "two", monkeypatch, "two", "poet = tests.plugins_for_tests:Painter")
    assert "tests.plugins_for_tests:Painter and tests.plugins_for_tests:Poet" in fault_of("engine", "poet")
    assert [one.ok for one in plugins.installed("engine") if one.name == "poet"] == [False]


def test_a_registered_plugin_whose_package_is_gone_is_listed_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, monkeypatch, "ghost", "ghost = no_such_package:Ghost")
    ghost = next(one for one in plugins.installed("engine") if one.name == "ghost")
    assert (ghost.ok, ghost.why) == (False, "its package `no_such_package` is not installed")


def test_listing_imports_no_plugin() -> None:
    code = (
        "import sys, tigertag.plugins as p\n"
        "assert p.installed('source') and p.installed('engine') and p.installed('target')\n"
        "print([m for m in sys.modules if m.startswith(('tigertag.sources.', 'plexapi', 'PIL', 'requests'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_options_are_those_of_the_class() -> None:
    assert plugins.options_of(Painter) is Painter.Options


def test_a_class_without_options_is_no_plugin() -> None:
    with pytest.raises(ConfigError, match="Stranger` is no plugin"):
        plugins.options_of(plugins.find("engine", "tests.plugins_for_tests.Stranger"))


def test_a_plugin_is_built_from_options_and_memory() -> None:
    options, memory = Poet.Options.model_validate({}), cast(Memory, object())
    built = plugins.build(Poet, options, memory)
    assert (built.options, built.memory) == (options, memory)
