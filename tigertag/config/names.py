"""Names that belong to no family: which are ours, and which are probably misspelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tigertag import plugins
from tigertag.config.environment import ENV_FILE, ENVIRONMENT, Variable
from tigertag.config.families import unknown
from tigertag.config.legacy import SHORT_WAY
from tigertag.plugins import FAMILIES, Family, closest

_CORE = ("DB_URL", "VOCABULARY", *SHORT_WAY)
_KNOWN = {*_CORE, *(f"{name}_FILE" for name in _CORE), ENV_FILE, "VERSION"}
_OURS = ("PLEX_", "DB_", "TIGERTAG_")
_FAMILY_WORDS = (*(family.upper() for family in FAMILIES), "SCANNER", "STASHER", "NOTIFIER")
_CLOSE = 0.85
"""So alike is a name of the environment to one of ours that nobody else can have meant it."""


def unknown_names(
    written: Sequence[Variable], environ: Mapping[str, str], ids: Mapping[Family, Iterable[str]]
) -> Iterator[str]:
    """A fault for each name that was probably meant for TigerTag and is none of its own.

    In the file everything called `PLEX_…`, `DB_…` and `TIGERTAG_…` is ours, and what is almost one of our
    names; of the environment, which others fill too, only what is almost one of those.
    """
    known = {f"{id}_" for family in FAMILIES for id in (*ids[family], *_installed_ids(family))}
    for variable in written:
        near = _meant(variable.name, known)
        if variable.name not in _KNOWN and (near or variable.name.startswith(_OURS)):
            yield unknown(variable, near)
    for name in sorted(environ):
        near = closest(name, _CORE, _CLOSE) if name.startswith(_OURS) and name not in _KNOWN else ""
        if near and environ[name]:
            yield unknown(Variable(name, "", ENVIRONMENT, name), near)


def _meant(name: str, ids: Iterable[str]) -> str:
    """The name of ours that `name` almost is, empty where it is none, or is one."""
    if name in _KNOWN or name.partition("_")[0] in _FAMILY_WORDS:
        return ""
    upper = name.upper()
    first, _, rest = upper.partition("_")
    family = closest(first, _FAMILY_WORDS, 0.8)
    if family and rest.startswith(tuple(ids)):
        return f"{family}_{rest}"
    return upper if upper in _KNOWN - {"VERSION"} else closest(upper, _CORE, 0.8)


def _installed_ids(family: Family) -> list[str]:
    return [name.upper().replace("-", "_") for name in plugins.names(family)]
