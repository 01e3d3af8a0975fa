"""The configuration: layers, families, faults, all of them at once and none with a secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.plugins_for_tests import Painter, Wall
from tigertag.config import Settings, database_url, load, load_from_process
from tigertag.errors import ConfigError
from tigertag.options import EngineOptions

PAINTER = "tests.plugins_for_tests.Painter"
POET = "tests.plugins_for_tests.Poet"
# A poet and a wall stand in for what is implied where nothing is declared.
QUIET = f"ENGINE_POET_NAME={POET}\nTARGET_WALL_NAME=tests.plugins_for_tests.Wall\n"


class Home:
    """A current folder with a `.env` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, text: str = "", environ: Mapping[str, str] | None = None, **overrides: str) -> Settings:
        self.write(QUIET + text)
        return load(env_file=None, environ=environ or {}, cwd=self.folder, overrides=overrides)

    def write(self, text: str, name: str = ".env") -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def faults(self, text: str = "", environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ)
        return caught.value.faults


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def painter(settings: Settings) -> Painter.Options:
    options = next(engine.options for engine in settings.engines if engine.id == "painter")
    assert isinstance(options, Painter.Options)
    return options


def origin(settings: Settings, name: str) -> str:
    return next(one.origin for one in settings.shown if one.name == name)


def value(settings: Settings, name: str) -> str:
    return next(one.value for one in settings.shown if one.name == name)


# --- where settings come from ---


def test_an_option_beats_the_environment_which_beats_the_file(home: Home) -> None:
    text, environ = (
        "ENGINE_POET_STYLE=file\nENGINE_POET_PREFIX=file\nENGINE_POET_ORDER=path\n",
        {
            "ENGINE_POET_STYLE": "env",
            "ENGINE_POET_PREFIX": "env",
        },
    )
    settings = home.load(text, environ, ENGINE_POET_STYLE="option")
    assert [value(settings, f"ENGINE_POET_{name}") for name in ("STYLE", "PREFIX", "ORDER")] == [
        "option",
        "env",
        "path",
    ]
    assert [origin(settings, f"ENGINE_POET_{name}") for name in ("STYLE", "PREFIX", "ORDER", "ONLY")] == [
        "--option",
        "environment",
        ".env line 5",
        "default",
    ]


def test_an_empty_value_is_as_if_it_were_not_set(home: Home) -> None:
    settings = home.load("PLEX_URL=\nPLEX_TOKEN=\nENGINE_POET_MAX_TAGS=\nDB_URL=\nENGINE_POET_ENABLED=\n")
    assert settings.sources == ()
    assert settings.engines[0].enabled


def test_an_empty_variable_of_the_environment_takes_back_the_files(home: Home) -> None:
    assert (
        value(home.load("ENGINE_POET_STYLE=long\n", {"ENGINE_POET_STYLE": ""}), "ENGINE_POET_STYLE") == "short"
    )


def test_the_env_file_is_looked_for_in_order(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def style_with(env_file: Path | None, environ: Mapping[str, str]) -> str:
        return value(load(env_file=env_file, environ=environ, cwd=home.folder), "ENGINE_POET_STYLE")

    config = home.folder / "config"
    (config / "tigertag").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    home.write(QUIET + "ENGINE_POET_STYLE=config", "config/tigertag/.env")
    assert style_with(None, {}) == "config"
    home.write(QUIET + "ENGINE_POET_STYLE=here")
    assert style_with(None, {}) == "here"
    named = home.write(QUIET + "ENGINE_POET_STYLE=named", "named.env")
    assert style_with(None, {"TIGERTAG_ENV_FILE": "named.env"}) == "named"
    asked = home.write(QUIET + "ENGINE_POET_STYLE=asked", "asked.env")
    assert style_with(asked, {"TIGERTAG_ENV_FILE": str(named)}) == "asked"


def test_an_env_file_that_was_asked_for_must_be_there(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"--env-file names nowhere\.env, and there is no such file"):
        load(env_file=Path("nowhere.env"), environ={}, cwd=home.folder)


def test_a_config_folder_that_may_not_be_entered_is_as_if_it_were_not_there(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name too long cannot be looked at either, whoever runs the tests.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.folder / ("x" * 300)))
    environ = dict(line.split("=", 1) for line in QUIET.splitlines())
    assert load(env_file=None, environ=environ, cwd=home.folder).engines[0].origin == "environment"


def test_a_folder_called_env_is_named(home: Home) -> None:
    home.folder.joinpath(".env").mkdir()
    with pytest.raises(ConfigError, match=r"\.env cannot be read: Is a directory"):
        load(env_file=None, environ={}, cwd=home.folder)


def test_secrets_with_dollars_quotes_and_hashes_stay_literal(home: Home) -> None:
    text = f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_API_KEY=a$HOME${{PATH}}#b\n"
    assert painter(home.load(text)).api_key.get_secret_value() == "a$HOME${PATH}#b"


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(home: Home) -> None:
    home.folder.joinpath(".env").write_bytes(b"\xef\xbb\xbf" + QUIET.replace("\n", "\r\n").encode())
    settings = load(env_file=None, environ={}, cwd=home.folder)
    assert settings.engines[0].origin == ".env line 1"


def test_bad_lines_are_named_by_number_without_what_they_hold(home: Home) -> None:
    said = home.faults("\n# fine\nPLEX TOKEN hunter22\nFOO=1\n\nENGINE_POET_STYLE='open hunter22\n")
    assert said[:2] == (
        ".env line 5 cannot be read: NAME=value is expected",
        ".env line 8 cannot be read: NAME=value is expected",
    )
    assert "hunter22" not in "".join(said)


@pytest.mark.parametrize("raw", [b"A=1\nB=\xff\xfe\n", "A=1\nB=2\n".encode("utf-16-le")[:2] + b"\n\0"])
def test_an_env_file_in_another_encoding_is_named_with_its_line(home: Home, raw: bytes) -> None:
    home.folder.joinpath(".env").write_bytes(raw)
    with pytest.raises(ConfigError, match=r"\.env line [12] is not UTF-8 text"):
        load(env_file=None, environ={}, cwd=home.folder)


def test_a_name_given_twice_is_a_warning_and_the_last_counts(home: Home) -> None:
    settings = home.load("ENGINE_POET_STYLE=a\nENGINE_POET_STYLE=b\n")
    assert value(settings, "ENGINE_POET_STYLE") == "b"
    assert settings.warnings == (
        "`ENGINE_POET_STYLE` (.env line 3) is given again in .env line 4, which counts",
    )


def test_an_env_file_that_names_another_is_a_warning(home: Home) -> None:
    (said,) = home.load("TIGERTAG_ENV_FILE=other.env\n").warnings
    assert said == "`TIGERTAG_ENV_FILE` (.env line 3) has no effect: it is looked at in the environment only"


def test_settings_are_read_from_the_process(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write(QUIET)
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("ENGINE_POET_STYLE", "process")
    assert value(load_from_process(), "ENGINE_POET_STYLE") == "process"


# --- secrets from files ---


def test_a_secret_is_read_from_a_file(home: Home) -> None:
    home.write("s3cret\n", "key")
    settings = home.load(f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_API_KEY_FILE=key\n")
    assert painter(settings).api_key.get_secret_value() == "s3cret"
    assert origin(settings, "ENGINE_PAINTER_API_KEY") == f".env line 4, from {home.folder / 'key'}"
    assert value(settings, "ENGINE_PAINTER_API_KEY") == "***"


def test_a_secret_file_that_is_missing_empty_or_given_twice_is_a_fault(home: Home) -> None:
    home.write("\n", "empty")
    home.write("a\nb\n", "lines")
    both = (
        "`ENGINE_POET_ONLY` (.env line 4) and `ENGINE_POET_ONLY_FILE` (.env line 5) are both given: remove one"
    )
    said = home.faults(
        "ENGINE_POET_ORDER=path\nENGINE_POET_ONLY=k\nENGINE_POET_ONLY_FILE=empty\n"
        "ENGINE_POET_STYLE_FILE=hunter22\nENGINE_POET_PREFIX_FILE=empty\nDB_URL_FILE=lines\n"
    )
    assert set(said) == {
        both,
        "`ENGINE_POET_STYLE_FILE` (.env line 6) must name a file that can be read: No such file or directory",
        "`ENGINE_POET_PREFIX_FILE` (.env line 7) must name a file with the value in one line",
        "`DB_URL_FILE` (.env line 8) must name a file with the value in one line",
    }


# --- families ---


def test_ids_may_hold_underscores_and_the_longest_wins(home: Home) -> None:
    settings = home.load(
        f"ENGINE_A_NAME={PAINTER}\nENGINE_A_API_KEY=1\nENGINE_A_B_NAME={PAINTER}\nENGINE_A_B_API_KEY=22\n"
        "ENGINE_A_B_LEVEL=5\n"
    )
    keys = {one.id: getattr(one.options, "level", None) for one in settings.engines}
    assert keys == {"poet": None, "a": 3, "a_b": 5}


def test_an_option_that_ends_in_name_declares_nothing(home: Home) -> None:
    settings = home.load(
        f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_API_KEY=k\nENGINE_PAINTER_MODEL_NAME=big\n"
    )
    assert painter(settings).model_name == "big"
    assert [engine.id for engine in settings.engines] == ["poet", "painter"]


def test_plugins_stand_in_the_order_in_which_they_were_written(home: Home) -> None:
    settings = home.load(f"ENGINE_LONGER_NAME={POET}\nENGINE_B_NAME={POET}\n")
    assert [engine.id for engine in settings.engines] == ["poet", "longer", "b"]


@pytest.mark.parametrize(
    ("word", "on"), [("True", True), ("off", False), ("NO", False), ("1", True), ("0", False)]
)
def test_enabled_knows_the_usual_words(home: Home, word: str, on: bool) -> None:
    assert home.load(f"ENGINE_POET_ENABLED={word}\n").engines[0].enabled is on


def test_of_a_disabled_plugin_unknown_settings_are_faults_and_missing_ones_are_not(home: Home) -> None:
    text = f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_ENABLED=no\n"
    assert not home.load(text).engines[1].enabled
    assert home.faults(text + "ENGINE_PAINTER_LEVL=3\n") == (
        "Unknown setting `ENGINE_PAINTER_LEVL` (did you mean `ENGINE_PAINTER_LEVEL`?), .env line 5",
    )


def test_a_disabled_plugin_that_cannot_be_loaded_is_a_warning(home: Home) -> None:
    settings = home.load("ENGINE_GONE_NAME=no_package.Engine\nENGINE_GONE_ENABLED=off\nENGINE_GONE_X=1\n")
    assert "no module `no_package` is installed" in settings.warnings[0]
    assert [(one.id, one.enabled) for one in settings.engines] == [("poet", True), ("gone", False)]


def test_comma_lists_and_aliases_reach_the_options(home: Home) -> None:
    options = home.load("ENGINE_POET_ONLY=a/*, b/*\nENGINE_POET_EXCEPT=c/*\n").engines[0].options
    assert isinstance(options, EngineOptions)
    assert (options.only, options.except_) == (("a/*", "b/*"), ("c/*",))


def test_environment_variables_of_others_are_never_touched(home: Home) -> None:
    others = {
        "SOURCE_DATE_EPOCH": "1", "TARGET_ARCH": "arm", "ENGINE_ROOM": "1", "PLEX_CLAIM": "x",
        "DB_PASSWORD": "x", "TIGERTAGGER": "1", "SOURCE_REPO": "x", "TARGET": "x",
        "SOURCE": "x", "ENGINE_": "x", "VERSION": "3",
    }  # fmt: skip
    assert home.load("", others).warnings == ()


def test_what_may_be_anothers_in_the_environment_is_a_warning_at_most(home: Home) -> None:
    assert home.load("", {"SOURCE_REPO_URL": "x"}).warnings == (
        "`SOURCE_REPO_URL` (environment) is not looked at: `SOURCE_REPO_NAME` is missing",
    )
    (said,) = home.faults("SOURCE_REPO_URL=x\n")
    assert said == "Unknown setting `SOURCE_REPO_URL`, .env line 3: `SOURCE_REPO_NAME` is missing"


# --- faults ---


def test_all_faults_are_named_at_once(home: Home) -> None:
    said = home.faults(
        f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_POET_PREFX=x\nENGINE_PAINTER_LEVEL=12\n"
        "ENGINE_POET_MIN_CONFIDENCE=much\nDB_URL=nonsense\nPLEX_TOKN=x\nENGINE_POET_ENABLED=maybe\n"
        "ENGINE_LOST_API_KEY=x\nENGINE_PAINTER_FACES_FOLDER=nowhere\nENGINE_POET_ORDER=random\n"
    )
    key = "`ENGINE_PAINTER_API_KEY` is missing; the engine `painter` (.env line 3) needs it: Its key."
    folder = f"must be a folder, and there is none at {home.folder}/nowhere"
    assert {
        fault for fault in said if not fault.startswith("`DB_URL` (.env line 7) must be a database URL")
    } == {
        key,
        "Unknown setting `ENGINE_POET_PREFX` (did you mean `ENGINE_POET_PREFIX`?), .env line 4",
        "`ENGINE_PAINTER_LEVEL` (.env line 5) must be a whole number from 1 to 9",
        "`ENGINE_POET_MIN_CONFIDENCE` (.env line 6) must be a number from 0 to 100",
        "Unknown setting `PLEX_TOKN` (did you mean `PLEX_TOKEN`?), .env line 8",
        "`ENGINE_POET_ENABLED` (.env line 9) must be true or false",
        "Unknown setting `ENGINE_LOST_API_KEY`, .env line 10: `ENGINE_LOST_NAME` is missing",
        f"`ENGINE_PAINTER_FACES_FOLDER` (.env line 11) {folder}",
        "`ENGINE_POET_ORDER` (.env line 12) must be one of newest, oldest, path",
    }
    assert len(said) == 10


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("PLXE_URL=x", "PLEX_URL"),
        ("plex_url=x", "PLEX_URL"),
        ("VOCABULRY=x", "VOCABULARY"),
        ("DB_URI=x", "DB_URL"),
        ("ENGIN_POET_STYLE=x", "ENGINE_POET_STYLE"),
        ("ENGINE_POETT_STYLE=x", "ENGINE_POET_STYLE"),
        ("TIGERTAG_ENVFILE=x", ""),
        ("ENGINE_IMAGA_API_KEY=x", "ENGINE_IMAGGA_API_KEY"),
    ],
)
def test_a_misspelled_name_in_the_file_is_a_fault(home: Home, line: str, meant: str) -> None:
    name = line.partition("=")[0]
    hint = f" (did you mean `{meant}`?)" if meant else ""
    assert any(fault.startswith(f"Unknown setting `{name}`{hint}, .env line 3") for fault in home.faults(line))


@pytest.mark.parametrize(
    "name", ["PLEX_TOKN", "ENGINE_POET_STYL", "ENGINE_IMAGA_API_KEY", "ENGINE_LOST_PREFIX"]
)
def test_a_misspelled_name_in_the_environment_is_a_fault(home: Home, name: str) -> None:
    assert any(fault.startswith(f"Unknown setting `{name}`") for fault in home.faults("", {name: "x"}))


def test_two_enabled_engines_with_one_prefix_are_a_fault(home: Home) -> None:
    text = f"ENGINE_POET_PREFIX=tt\nENGINE_B_NAME={POET}\nENGINE_B_PREFIX=TT_\n"
    (said,) = home.faults(text)
    assert said.startswith("`ENGINE_POET_PREFIX` and `ENGINE_B_PREFIX` are the same")
    assert home.load(text + "ENGINE_B_ENABLED=false\n")


def test_one_prefix_of_two_is_told_beside_whatever_else_is_wrong_with_them(home: Home) -> None:
    text = f"ENGINE_POET_PREFIX=tt\nENGINE_POET_MAX_TAGS=many\nENGINE_B_NAME={POET}\nENGINE_B_PREFIX=tt\n"
    faults = home.faults(text)
    assert any("`ENGINE_POET_MAX_TAGS`" in fault for fault in faults)
    assert any(fault.startswith("`ENGINE_POET_PREFIX` and `ENGINE_B_PREFIX` are the same") for fault in faults)


def test_an_unknown_plugin_is_named_with_its_variable(home: Home) -> None:
    (said,) = home.faults("ENGINE_X_NAME=imaga\nENGINE_X_ANYTHING=1\n")
    assert said.startswith(
        "`ENGINE_X_NAME` (.env line 3): There is no engine called `imaga` (did you mean `imagga`?)"
    )


def test_a_plugins_own_words_are_kept(home: Home) -> None:
    (said,) = home.faults(
        f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_API_KEY=k\nENGINE_PAINTER_API_URL=ftp://x\n"
    )
    assert said == ("`ENGINE_PAINTER_API_URL` (.env line 5): ftp://x does not begin with http:// or https://")


def test_no_fault_setting_or_repr_holds_a_secret(home: Home) -> None:
    text = f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_API_KEY=canary1\n"
    said = home.faults(
        text + "ENGINE_PAINTER_PIN=canary2\nENGINE_PAINTER_API_URL=ftp://u:canary3@h/\n"
        "DB_URL=postgres://u:canary4@h:port/x\nENGINE_POET_NMAE=canary5\n"
    )
    assert len(said) == 4
    settings = home.load(
        text + "ENGINE_PAINTER_API_URL=http://u:canary6@h/?token=canary8\nDB_URL=postgresql://u:canary7@h/x\n"
    )
    assert "canary" not in "\n".join(said) + repr(settings)
    assert value(settings, "ENGINE_PAINTER_API_URL") == "http://***@h/?token=***"


@pytest.mark.skipif("os.name != 'posix'")
def test_a_world_readable_file_with_a_key_in_it_is_a_warning(home: Home) -> None:
    text = QUIET + f"ENGINE_PAINTER_NAME={PAINTER}\nENGINE_PAINTER_PIN=1\nENGINE_PAINTER_API_KEY=k\n"
    home.write(text).chmod(0o644)
    (said,) = load(env_file=None, environ={}, cwd=home.folder).warnings
    assert said.endswith("and holds `ENGINE_PAINTER_API_KEY`, `ENGINE_PAINTER_PIN`: chmod 600 .env")
    home.write(text)
    assert load(env_file=None, environ={}, cwd=home.folder).warnings == ()


def test_a_world_readable_file_without_a_key_is_no_warning(home: Home) -> None:
    home.write(QUIET + "DB_URL=mysql://anna@h/d\nENGINE_POET_PREFIX=a\n").chmod(0o644)
    assert load(env_file=None, environ={}, cwd=home.folder).warnings == ()


def test_defaults_are_shown_as_such(home: Home) -> None:
    settings = home.load()
    assert isinstance(settings.targets[0].options, Wall.Options)
    assert (value(settings, "TARGET_WALL_PATH"), origin(settings, "TARGET_WALL_PATH")) == ("here", "default")


def test_the_database_url_alone_ignores_other_faults(home: Home) -> None:
    home.write("DB_URL=sqlite:///x.db\nENGINE_NOBODY_X=1\n")
    assert database_url(environ={}, cwd=home.folder) == f"sqlite:///{home.folder}/x.db"
