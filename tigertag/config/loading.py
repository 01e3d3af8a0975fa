"""Reads everything and reports all that is wrong together. Nothing starts on a configuration with a fault."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tigertag.config.database import data_folder, default_url, full_url, shown_url
from tigertag.config.declared import declare, same_prefixes, settings_of, world_readable_secrets
from tigertag.config.environment import (
    ENV_FILE,
    EnvFile,
    Variable,
    expanded,
    find_env_file,
    layers,
    looks_secret,
    merged,
    with_file,
)
from tigertag.config.families import FamilyReading, OutlineReading, share_path_maps
from tigertag.config.legacy import todays
from tigertag.config.names import unknown_names
from tigertag.config.settings import Declared, Setting, Settings
from tigertag.config.vocabulary import read_vocabulary
from tigertag.config.vocabulary_check import doubts
from tigertag.errors import ConfigError, DiskError
from tigertag.model import Vocabulary
from tigertag.plugins import FAMILIES, Family

_NOTHING: Mapping[str, str] = {}


@dataclass(slots=True)
class _Reading:
    """What is known while reading: the variables, and all that was found wrong or odd."""

    cwd: Path
    file: EnvFile | None
    variables: dict[str, Variable]
    faults: list[str]
    warnings: list[str]
    shown: list[Setting] = field(default_factory=list)


def load(
    *, env_file: Path | None, environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, str] = _NOTHING
) -> Settings:
    """The settings in force. Raises ConfigError with all faults, a sentence each."""
    return _load(_read(env_file, environ, cwd, overrides), env_file, environ, FamilyReading)


def outline(*, env_file: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings as far as they can be told without importing a plugin: nothing can be built from them.

    Raises ConfigError with the faults in those.
    """
    return _load(_read(env_file, environ, cwd, _NOTHING), env_file, environ, OutlineReading)


def _load(
    reading: _Reading, env_file: Path | None, environ: Mapping[str, str], read: type[FamilyReading]
) -> Settings:
    _show_env_file(reading, env_file, environ)
    url = _database(reading)
    vocabulary_file, vocabulary = _vocabulary(reading)
    families = {family: read(family, reading.variables) for family in FAMILIES}
    ids = {family: [*families[family].entries] for family in FAMILIES}
    reading.faults.extend(unknown_names(reading.file.variables if reading.file else (), environ, ids))
    _imply(families)
    share_path_maps(families["source"], families["target"])
    declared = {family: _declare(families[family], reading) for family in FAMILIES}
    reading.faults.extend(same_prefixes(families["engine"].entries.values(), reading.cwd))
    reading.warnings.extend(doubts(vocabulary, {each.id: each.enabled for each in declared["engine"]}))
    _warn_of_open_file(reading)
    if reading.faults:
        raise ConfigError(*dict.fromkeys(reading.faults))
    return Settings(
        db_url=url,
        db_url_shown=shown_url(url),
        sources=declared["source"],
        engines=declared["engine"],
        targets=declared["target"],
        vocabulary=vocabulary,
        shown=tuple(dict.fromkeys(reading.shown)),
        warnings=tuple(dict.fromkeys(reading.warnings)),
        state_dir=_state_dir(url, reading.cwd),
        vocabulary_file=vocabulary_file,
    )


LOCAL_ENGINES = ("metadata", "places", "colours", "quality")
"""What looks at photos where no engine is set up: on this computer, without an account, in little time."""
CONTENT_ENGINE = "clip"
"""Looks, too, where its extra is installed."""
_ITS_EXTRA = ("huggingface_hub", "numpy", "onnxruntime", "tokenizers")


def default_engines() -> tuple[str, ...]:
    """What looks at photos where no engine is set up, as far as it is installed."""
    has_extra = all(find_spec(library) is not None for library in _ITS_EXTRA)
    return (*LOCAL_ENGINES, CONTENT_ENGINE) if has_extra else LOCAL_ENGINES


def load_from_process(env_file: Path | None = None, overrides: Mapping[str, str] = _NOTHING) -> Settings:
    """`load` with the environment and the folder of this process."""
    return load(env_file=env_file, environ=os.environ, cwd=_current_folder(), overrides=overrides)


def outline_of_process(env_file: Path | None = None) -> Settings:
    """`outline` with the environment and the folder of this process."""
    return outline(env_file=env_file, environ=os.environ, cwd=_current_folder())


def database_url(
    *, env_file: Path | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """`DB_URL` for SQLAlchemy, password and all, from the environment and `.env`; nothing else is validated.

    Raises ConfigError where it is wrong, or where the file it may stand in cannot be read.
    """
    reading = _read(env_file, os.environ if environ is None else environ, cwd or _current_folder(), _NOTHING)
    url = _database(reading)
    if reading.faults:
        raise ConfigError(*dict.fromkeys(reading.faults))
    return url


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise DiskError(f"The current folder cannot be read ({error.strerror}): go to another") from error


def _read(
    env_file: Path | None, environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, str]
) -> _Reading:
    faults: list[str] = []
    warnings: list[str] = []
    file = find_env_file(env_file, environ, cwd, faults)
    warnings.extend(
        f"{variable.at} has no effect: it is looked at in the environment only"
        for variable in (file.variables if file else ())
        if variable.name == ENV_FILE and variable.value
    )
    found = [todays(layer, faults, warnings) for layer in layers(file, environ, overrides)]
    return _Reading(cwd, file, merged(found), faults, warnings)


def _show_env_file(reading: _Reading, env_file: Path | None, environ: Mapping[str, str]) -> None:
    origin = "--env-file" if env_file else "environment" if environ.get(ENV_FILE) else "default"
    reading.shown.append(Setting(ENV_FILE, str(reading.file.path) if reading.file else "", origin))


def _database(reading: _Reading) -> str:
    """The full URL; empty where it is wrong."""
    variable = with_file(reading.variables, "DB_URL", reading.cwd, reading.faults)
    try:
        url = full_url(variable.value, reading.cwd) if variable else default_url()
    except ValueError as error:
        reading.faults.append(f"{variable.at if variable else '`DB_URL`'} {error}")
        return ""
    masked = shown_url(url)
    origin = variable.origin if variable else "default"
    reading.shown.append(Setting("DB_URL", masked, origin, masked != url))
    return url


def _vocabulary(reading: _Reading) -> tuple[Path, Vocabulary]:
    """The one that `VOCABULARY` names, else `vocabulary.yaml` beside the `.env` or in the current folder."""
    variable = with_file(reading.variables, "VOCABULARY", reading.cwd, reading.faults)
    if variable is not None:
        path = expanded(variable.value, reading.cwd)
        if not _is_file(path):
            reading.faults.append(f"{variable.at} must be a file, and there is none at {path}")
            return path, Vocabulary()
        reading.shown.append(Setting("VOCABULARY", variable.value, variable.origin))
        return path, read_vocabulary(path, variable.value, reading.faults)
    folders = ([reading.file.path.parent] if reading.file else []) + [reading.cwd]
    paths = [folder / "vocabulary.yaml" for folder in folders]
    there = [path for path in paths if _is_file(path)]
    reading.shown.append(Setting("VOCABULARY", str(there[0]) if there else "", "default"))
    if not there:
        return paths[0], Vocabulary()
    label = there[0].name if there[0].parent == reading.cwd else str(there[0])
    return there[0], read_vocabulary(there[0], label, reading.faults)


def _is_file(path: Path) -> bool:
    """False also where one may not look: cron may start in a folder of another user."""
    try:
        return path.is_file()
    except OSError:
        return False


def _imply(families: Mapping[Family, FamilyReading]) -> None:
    """What runs where nobody says: the engines that need no account, and the console for files.

    Who only switches some of those engines off has the others.
    """
    engines = families["engine"].entries
    usual = {*LOCAL_ENGINES, CONTENT_ENGINE}
    off = {id.lower() for id, entry in engines.items() if entry.is_only_switched_off} & usual
    if all(entry.came_the_short_way or id.lower() in off for id, entry in engines.items()):
        for engine in default_engines():
            if engine not in off:
                families["engine"].imply(engine)
    if all(entry.came_the_short_way for entry in families["target"].entries.values()):
        families["target"].imply("console", SOURCES="folder,archive")


def _declare(family: FamilyReading, reading: _Reading) -> tuple[Declared, ...]:
    reading.faults.extend(family.faults)
    reading.warnings.extend(family.warnings)
    found = []
    for entry in family.entries.values():
        declared = declare(entry, reading.cwd, reading.faults)
        reading.shown.extend(settings_of(entry, declared, reading.cwd))
        found.append(declared)
    return tuple(declared for declared in found if declared is not None)


def _warn_of_open_file(reading: _Reading) -> None:
    file = reading.file
    if file is None or not file.is_open_to_all:
        return
    # A database's URL often names a user only; whether it holds a password is known by now.
    names = [v.written for v in file.variables if v.name != "DB_URL" and looks_secret(v.name, v.value)]
    names += world_readable_secrets(reading.shown, file.label)
    if names:
        held = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
        reading.warnings.append(
            f"{file.label} can be read by everybody on this machine and holds {held}: chmod 600 {file.label}"
        )


def _state_dir(url: str, cwd: Path) -> Path:
    folder = data_folder()
    return folder if folder.is_absolute() else _beside(url, cwd)


def _beside(url: str, cwd: Path) -> Path:
    """A user without a home keeps things beside the database, or in the current folder."""
    path = url.removeprefix("sqlite:///")
    return Path(path).parent if path != url else cwd
