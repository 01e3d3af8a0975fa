"""A `.env` of the TigerTag of 2021 works as it is, and the short way to Plex."""

from __future__ import annotations

from pathlib import Path

import pytest

from tigertag.config import Settings, load, loading
from tigertag.errors import ConfigError

FILE_OF_2021 = """\
SCANNER_PLEX_NAME=tigertag.scanner.plex.PlexScanner
SCANNER_PLEX_ENABLED=True
SCANNER_PLEX_TOKEN=canary-token
SCANNER_PLEX_URL=http://127.0.0.1:32400
SCANNER_PLEX_SECTION=Photos, old
ENGINE_IMAGGA_NAME=tigertag.engine.imagga.ImaggaEngine
ENGINE_IMAGGA_PREFIX=tti
ENGINE_IMAGGA_ENABLED=True
ENGINE_IMAGGA_API_KEY=canary-key
ENGINE_IMAGGA_API_SECRET=canary-secret
ENGINE_IMAGGA_API_URL=https://api.imagga.com/v2
STASHER_CONSOLE_NAME=tigertag.stasher.console.ConsoleStasher
STASHER_CONSOLE_ENABLED=True
STASHER_PLEX_NAME=tigertag.stasher.plex.PlexStasher
STASHER_PLEX_ENABLED=True
STASHER_PLEX_TOKEN=canary-token
STASHER_PLEX_URL=http://127.0.0.1:32400
STASHER_PLEX_SECTION=Photos, old
DB_URL=sqlite:///data/db/tigertag.db
ENGINE_COMPREFACE_NAME=tigertag.engine.compreface.ComprefaceEngine
ENGINE_COMPREFACE_PREFIX=ttf
ENGINE_COMPREFACE_ENABLED=True
ENGINE_COMPREFACE_API_KEY=3a9990df-0000-0000-0000-00000000000c
ENGINE_COMPREFACE_API_PORT=8000
ENGINE_COMPREFACE_API_URL=http://localhost
ENGINE_COMPREFACE_FACES_FOLDER=data/images/faces
ENGINE_COMPREFACE_FACES_CONFIG=data/images/faces/faces.yaml
NOTIFIER_EMAIL_NAME=tigertag.notifier.email.EmailNotifier
NOTIFIER_EMAIL_ENABLED=True
NOTIFIER_EMAIL_FROM=me@example.org
NOTIFIER_EMAIL_TO=me@example.org
NOTIFIER_EMAIL_SERVER=smtp.example.org
NOTIFIER_EMAIL_PORT=587
NOTIFIER_EMAIL_SSL=False
NOTIFIER_EMAIL_STARTTLS=True
NOTIFIER_EMAIL_USERNAME=me@example.org
NOTIFIER_EMAIL_PASSWORD=canary-password
VERSION=0.0.1
"""

QUIET = "ENGINE_POET_NAME=tests.plugins_for_tests.Poet\nTARGET_WALL_NAME=tests.plugins_for_tests.Wall\n"


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (folder / ".env").write_text(text)
    (folder / ".env").chmod(0o600)
    return load(env_file=None, environ=environ or {}, cwd=folder)


def faults(folder: Path, text: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, environ)
    return caught.value.faults


def shown(settings: Settings) -> dict[str, tuple[str, str]]:
    return {one.name: (one.value, one.origin) for one in settings.shown}


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A current folder with the faces that the file of 2021 names."""
    (tmp_path / "data/images/faces").mkdir(parents=True)
    (tmp_path / "data/images/faces/faces.yaml").write_text("faces: []\n")
    return tmp_path


def test_a_file_of_2021_declares_the_plugins_of_today(faces: Path) -> None:
    settings = read(faces, FILE_OF_2021)
    assert [(one.id, one.plugin) for one in settings.sources] == [("plex", "plex")]
    assert [(one.id, one.plugin) for one in settings.engines] == [
        ("imagga", "imagga"),
        ("compreface", "compreface"),
    ]
    assert [(one.id, one.plugin) for one in settings.targets] == [("console", "console"), ("plex", "plex")]
    assert settings.sources[0].options.model_dump()["sections"] == ("Photos, old",)
    assert settings.db_url == f"sqlite:///{faces}/data/db/tigertag.db"


def test_what_a_file_of_2021_says_in_vain_is_a_warning(faces: Path) -> None:
    assert read(faces, FILE_OF_2021).warnings == (
        "`STASHER_PLEX_SECTION` (.env line 18) is not needed any more: tags are written where the photo lies",
        "`NOTIFIER_EMAIL_NAME` (.env line 28) is ignored: notifiers are not built yet",
    )


def test_no_secret_of_a_file_of_2021_is_shown(faces: Path) -> None:
    settings = read(faces, FILE_OF_2021)
    assert "canary" not in repr(settings)
    assert shown(settings)["SOURCE_PLEX_TOKEN"] == ("***", ".env line 3")


def test_the_folder_scanner_of_2021_is_the_folder_source(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        QUIET + f"SCANNER_DIR_NAME=tigertag.scanner.directory.DirectoryScanner\nSCANNER_DIR_PATH={tmp_path}\n",
    )
    assert [(one.id, one.plugin) for one in settings.sources] == [("dir", "folder")]


def test_faces_that_are_not_there_are_faults(tmp_path: Path) -> None:
    said = faults(tmp_path, FILE_OF_2021)
    assert [fault.partition(" must")[0] for fault in said] == [
        "`ENGINE_COMPREFACE_FACES_FOLDER` (.env line 26)",
        "`ENGINE_COMPREFACE_FACES_CONFIG` (.env line 27)",
    ]


def test_a_setting_under_both_names_is_a_fault_unless_equal(tmp_path: Path) -> None:
    text = QUIET + "SCANNER_PLEX_URL=http://a:1\nSOURCE_PLEX_URL=http://{}:1\nSOURCE_PLEX_TOKEN=t\n"
    assert read(tmp_path, text.format("a"))
    (said,) = faults(tmp_path, text.format("b"))
    assert said.startswith("`SCANNER_PLEX_URL` (.env line 3) and `SOURCE_PLEX_URL` (.env line 4) set the same")


def test_the_environment_beats_an_old_name_in_the_file(tmp_path: Path) -> None:
    text = QUIET + "SCANNER_PLEX_URL=http://a:1\nSCANNER_PLEX_TOKEN=t\n"
    settings = read(tmp_path, text, {"SOURCE_PLEX_URL": "http://b:1"})
    assert shown(settings)["SOURCE_PLEX_URL"] == ("http://b:1", "environment")


def test_an_old_name_that_is_misspelled_is_named_as_it_was_written(tmp_path: Path) -> None:
    text = QUIET + "SCANNER_PLEX_URL=http://a:1\nSCANNER_PLEX_TOKEN=t\nSCANNER_PLEX_SECTON=x\n"
    assert faults(tmp_path, text) == (
        "Unknown setting `SCANNER_PLEX_SECTON` (did you mean `SOURCE_PLEX_SECTIONS`?), .env line 5",
    )


def test_the_short_way_declares_a_plex_source_and_target(tmp_path: Path) -> None:
    settings = read(tmp_path, "PLEX_URL=http://nas:32400\nPLEX_TOKEN=canary\nPLEX_SECTIONS=Photos, 7\n")
    assert [(one.id, one.plugin) for one in settings.sources] == [("plex", "plex")]
    assert [(one.id, one.plugin) for one in settings.targets] == [("plex", "plex"), ("console", "console")]
    assert settings.sources[0].options.model_dump()["sections"] == ("Photos", "7")
    assert shown(settings)["PLEX_URL"] == ("http://nas:32400", ".env line 1")
    assert shown(settings)["PLEX_TOKEN"] == ("***", ".env line 2")


@pytest.mark.parametrize(
    ("given", "missing"), [("PLEX_URL=http://nas:1", "PLEX_TOKEN"), ("PLEX_TOKEN=t", "PLEX_URL")]
)
def test_half_of_the_short_way_is_a_fault(tmp_path: Path, given: str, missing: str) -> None:
    (said,) = faults(tmp_path, given)
    assert said.startswith(f"`{missing}` is missing; `PLEX_URL` and `PLEX_TOKEN` need each other")


def test_the_token_of_the_short_way_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary\n")
    settings = read(tmp_path, "PLEX_URL=http://nas:32400\nPLEX_TOKEN_FILE=token\n")
    assert shown(settings)["PLEX_TOKEN"] == ("***", f".env line 2, from {tmp_path / 'token'}")


def test_the_plex_target_of_the_short_way_can_be_switched_off(tmp_path: Path) -> None:
    settings = read(tmp_path, "PLEX_URL=http://nas:1\nPLEX_TOKEN=t\nTARGET_PLEX_ENABLED=no\n")
    assert [(one.id, one.enabled) for one in settings.targets if one.id == "plex"] == [("plex", False)]


@pytest.mark.parametrize("library", [None, "onnxruntime"])
def test_without_any_settings_local_engines_look_and_folders_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str | None
) -> None:
    """CLIP where its extra is installed, all of it."""
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == library else name)
    settings = load(env_file=None, environ={}, cwd=tmp_path)
    engines = [(one.id, one.origin) for one in settings.engines]
    usual = ["metadata", "places", "colours", "quality", *([] if library else ["clip"])]
    assert engines == [(name, "default") for name in usual]
    assert [(one.id, one.origin) for one in settings.targets] == [("console", "default")]
    assert settings.targets[0].options.model_dump()["sources"] == ("folder", "archive")
    assert settings.sources == ()


def test_who_switches_a_usual_engine_off_has_the_others(tmp_path: Path) -> None:
    found = read(tmp_path, "ENGINE_CLIP_ENABLED=false\nENGINE_PLACES_ENABLED=no\n").engines
    assert [one.id for one in found if one.enabled] == ["metadata", "colours", "quality"]
    assert sorted(one.id for one in found if not one.enabled) == ["clip", "places"]


@pytest.mark.parametrize(
    "line", ["ENGINE_HASH_ENABLED=false", "ENGINE_CLIP_ENABLED=true", "ENGINE_CLIP_BATCH=2"]
)
def test_what_else_is_said_of_an_engine_is_all_that_looks(tmp_path: Path, line: str) -> None:
    assert len(read(tmp_path, f"{line}\n").engines) == 1


def test_a_key_of_an_installed_engine_needs_no_name(tmp_path: Path) -> None:
    (engine,) = read(tmp_path, "ENGINE_IMAGGA_API_KEY=k\nENGINE_IMAGGA_API_SECRET=s\n").engines
    assert (engine.id, engine.plugin, engine.origin) == ("imagga", "imagga", ".env line 1")
    assert len(faults(tmp_path, "ENGINE_IMAGGA_API_KEY=k\n")) == 1


def test_a_target_that_writes_files_finds_plexs_photos_by_the_map_of_the_short_way(tmp_path: Path) -> None:
    plex = "PLEX_URL=http://nas:1\nPLEX_TOKEN=t\nPLEX_PATH_MAP=/photos=/mnt/photos\nTARGET_XMP_NAME=xmp\n"
    assert read(tmp_path, plex).targets[-1].options.model_dump()["path_map"] == "/photos=/mnt/photos"
    own = read(tmp_path, f"{plex}TARGET_XMP_PATH_MAP=/photos=/elsewhere\n")
    assert own.targets[-1].options.model_dump()["path_map"] == "/photos=/elsewhere"


def test_keywords_in_files_are_carried_to_plex_where_that_is_asked_for(tmp_path: Path) -> None:
    plex = "PLEX_URL=http://nas:1\nPLEX_TOKEN=t\nPLEX_IMPORT_KEYWORDS="
    local = [engine.id for engine in read(tmp_path, f"{plex}false\n").engines]
    assert "keywords" not in local and "metadata" in local
    found = {engine.id: engine for engine in read(tmp_path, f"{plex}true\n").engines}
    assert found.keys() == {"keywords", *local} and found["keywords"].plugin == "metadata"
    assert found["keywords"].options.model_dump()["words"] == ("people", "keywords")
    (said,) = faults(tmp_path, f"{plex}perhaps\n")
    assert said == "`PLEX_IMPORT_KEYWORDS` (.env line 3) must be true or false"
