"""Other names for settings: those of the TigerTag of 2021, and the short way to Plex.

Everything becomes a variable of today's families here, so that nothing behind this file knows more than one
name for a thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tigertag.config.environment import Variable

_FAMILIES_OF_2021 = {"SCANNER_": "SOURCE_", "STASHER_": "TARGET_"}

_CLASSES_OF_2021 = {
    "tigertag.scanner.plex.PlexScanner": "plex",
    "tigertag.scanner.directory.DirectoryScanner": "folder",
    "tigertag.engine.imagga.ImaggaEngine": "imagga",
    "tigertag.engine.compreface.ComprefaceEngine": "compreface",
    "tigertag.stasher.plex.PlexStasher": "plex",
    "tigertag.stasher.console.ConsoleStasher": "console",
}

SHORT_WAY = {
    "PLEX_URL": ("SOURCE_PLEX_URL", "TARGET_PLEX_URL"),
    "PLEX_TOKEN": ("SOURCE_PLEX_TOKEN", "TARGET_PLEX_TOKEN"),
    "PLEX_SECTIONS": ("SOURCE_PLEX_SECTIONS",),
    "PLEX_PATH_MAP": ("SOURCE_PLEX_PATH_MAP",),
    "PLEX_VIDEOS": ("SOURCE_PLEX_VIDEOS",),
    "PLEX_IMPORT_KEYWORDS": ("ENGINE_KEYWORDS_ENABLED",),
}
"""The short way to a Plex source and a Plex target, and to tags for what Plex does not read in files itself."""

_KEYWORDS = {"ENGINE_KEYWORDS_NAME": "metadata", "ENGINE_KEYWORDS_WORDS": "people,keywords"}
_OFF = {"false", "no", "0", "off"}


def short_name(name: str) -> str:
    """`SOURCE_PLEX_TOKEN` is `PLEX_TOKEN` to the person who took the short way; others are what they are."""
    return next((short for short, names in SHORT_WAY.items() if name in names), name)


def todays(layer: Iterable[Variable], faults: list[str], warnings: list[str]) -> tuple[Variable, ...]:
    """The variables of one layer under today's names.

    One setting under two names with two values is a fault; one name twice is a warning, and the last counts.
    """
    found: dict[str, Variable] = {}
    given = tuple(layer)
    for variable in [today for old in given for today in _renamed(old, warnings)]:
        before = found.get(variable.name)
        if before is not None and before.value and variable.value and before.value != variable.value:
            _clash(before, variable, faults, warnings)
        if before is None or variable.value or before.written == variable.written:
            found[variable.name] = variable
    warnings.extend(_notifiers(given))
    return tuple(found.values())


def _clash(before: Variable, after: Variable, faults: list[str], warnings: list[str]) -> None:
    if before.written != after.written:
        faults.append(f"{before.at} and {after.at} set the same thing to different values: remove one")
    else:
        warnings.append(f"{before.at} is given again in {after.origin}, which counts")


def _renamed(variable: Variable, warnings: list[str]) -> Sequence[Variable]:
    name, file = variable.name.removesuffix("_FILE"), variable.name[len(variable.name.removesuffix("_FILE")) :]
    if name == "PLEX_IMPORT_KEYWORDS":
        return _keywords(variable)
    if name in SHORT_WAY:
        return [variable.called(long + file) for long in SHORT_WAY[name]]
    if name.startswith("STASHER_") and name.endswith("_SECTION"):
        if variable.value:
            warnings.append(f"{variable.at} is not needed any more: tags are written where the photo lies")
        return []
    if name.startswith("NOTIFIER_"):
        return []
    family = next((old for old in _FAMILIES_OF_2021 if name.startswith(old)), "")
    today = _FAMILIES_OF_2021.get(family, "") + name.removeprefix(family)
    if family and name.endswith("_SECTION"):
        # One section by its title, which may hold a comma; today it is a list.
        return [replace(variable, name=f"{today}S{file}", whole=True)]
    if name.endswith("_NAME"):
        variable = replace(variable, value=_CLASSES_OF_2021.get(variable.value, variable.value))
    return [variable.called(today + file)]


def _keywords(variable: Variable) -> Sequence[Variable]:
    """An engine that says what people and programs wrote into the files; none where that is off."""
    if not variable.value or variable.value.strip().casefold() in _OFF:
        return []
    settings = [replace(variable.called(name), value=value) for name, value in _KEYWORDS.items()]
    return [variable.called(*SHORT_WAY["PLEX_IMPORT_KEYWORDS"]), *settings]


def _notifiers(layer: Sequence[Variable]) -> list[str]:
    off = {v.name for v in layer if v.name.endswith("_ENABLED") and v.value.casefold() in _OFF}
    return [
        f"{variable.at} is ignored: notifiers are not built yet"
        for variable in layer
        if variable.name.startswith("NOTIFIER_")
        and variable.name.endswith("_NAME")
        and variable.value
        and variable.name.removesuffix("_NAME") + "_ENABLED" not in off
    ]
