"""Finds a source, engine or target by name and builds it from its options.

Built-in plugins are registered by the same entry points as anybody's: `tigertag.sources`, `tigertag.engines`,
`tigertag.targets`. Nothing is imported before it is asked for, so that `tigertag --help` stays instant.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, entry_points, metadata, requires
from importlib.util import find_spec
from typing import Literal, TypeAlias, TypeVar, cast, get_args, overload

from tigertag.errors import ConfigError
from tigertag.model import Engine, Memory, Source, Target
from tigertag.options import Options

Family: TypeAlias = Literal["source", "engine", "target"]
FAMILIES: tuple[Family, ...] = get_args(Family)

P = TypeVar("P")

_INSTALL = "pip install 'tigertag[{}]'"


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that is registered. `ok` says that its module is there; `why` says what is wrong if not."""

    name: str
    path: str
    """Dotted: `tigertag.engines.imagga.ImaggaEngine`."""
    ok: bool = True
    why: str = ""


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The one of `known` that `word` was probably meant to be, empty where none is close."""
    return next(iter(difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=cutoff)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean `prefix`?)` for the closest of `known`, empty where none is close."""
    near = closest(word, known)
    return f" (did you mean `{near}`?)" if near else ""


@overload
def find(family: Literal["source"], name: str) -> type[Source]: ...
@overload
def find(family: Literal["engine"], name: str) -> type[Engine]: ...
@overload
def find(family: Literal["target"], name: str) -> type[Target]: ...
@overload
def find(family: Family, name: str) -> type[object]: ...
def find(family: Family, name: str) -> type[object]:
    """The class of the plugin `name`: an entry point (`imagga`) or a dotted path (`my_package.MyEngine`).

    Raises ConfigError where there is none, or where it cannot be imported, saying what failed.
    """
    point = _registered(family, name)
    if point is not None:
        return _import(family, name, *point.value.partition(":")[::2])
    if "." in name.removeprefix("tigertag."):
        return _import(family, name, *name.rpartition(".")[::2])
    raise ConfigError(_unknown(family, name))


def registered_name(family: Family, name: str) -> str:
    """The entry point that `name` means (`tigertag.imagga` is `imagga`), else `name` as it is."""
    point = _registered(family, name)
    return point.name if point else name


def names(family: Family) -> list[str]:
    """Those of all registered plugins of a family."""
    return sorted(_points(family))


def installed(family: Family) -> tuple[Installed, ...]:
    """All registered plugins of a family by name. None of them is imported."""
    return tuple(
        Installed(name, points[0].value.replace(":", "."), not why, why)
        for name, points in sorted(_points(family).items())
        for why in [_trouble(points)]
    )


def options_of(plugin: type[object]) -> type[Options]:
    """The options class of a plugin, its attribute `Options`. Raises ConfigError where it has none."""
    options: object = getattr(plugin, "Options", None)
    if isinstance(options, type) and issubclass(options, Options):
        return options
    raise ConfigError(
        f"`{plugin.__module__}.{plugin.__qualname__}` is no plugin: it has no class `Options` "
        "derived from tigertag.options.Options"
    )


def build(plugin: type[P], options: Options, memory: Memory) -> P:
    """The plugin, built. Building does no I/O."""
    return cast("Callable[[Options, Memory], P]", plugin)(options, memory)


def _points(family: Family) -> dict[str, list[EntryPoint]]:
    """Entry points by name; more than one where two packages claim a name."""
    found: dict[str, list[EntryPoint]] = {}
    for point in _registered_under(f"tigertag.{family}s", tuple(sys.path)):
        known = found.setdefault(point.name, [])
        # A checkout that is installed twice over registers the same class twice, which is no clash.
        if all(point.value != other.value for other in known):
            known.append(point)
    return found


@cache
def _registered_under(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Read once for each search path: the metadata of all that is installed costs some 10 ms."""
    return tuple(entry_points(group=group))


def _registered(family: Family, name: str) -> EntryPoint | None:
    points = _points(family)
    # `tigertag.imagga` is how the first TigerTag's README named its engine.
    short = name.removeprefix("tigertag.")
    claims = points.get(name) or points.get(short) or []
    if len(claims) > 1:
        raise ConfigError(f"The {family} `{name}` cannot be used: {_trouble(claims)}")
    return claims[0] if claims else None


def _trouble(points: list[EntryPoint]) -> str:
    """What keeps a registered plugin from being imported, as far as can be said without importing it."""
    if len(points) > 1:
        return "two packages register it: " + " and ".join(sorted(point.value for point in points))
    package = points[0].module.partition(".")[0]
    if not find_spec(package):
        return f"its package `{package}` is not installed"
    name = points[0].name
    return f"needs tigertag[{name}]: {_INSTALL.format(name)}" if package == "tigertag" and _lacks(name) else ""


def _lacks(extra: str) -> bool:
    """Whether one of the libraries that an extra of ours asks for, whatever the platform, is not installed."""
    asked = re.compile(rf"""([\w.-]+)[^;]*; *extra *== *["']{re.escape(extra)}["']""")
    names = [found[1] for each in requires("tigertag") or () if (found := asked.fullmatch(each))]
    return any(not next(iter(Distribution.discover(name=name)), None) for name in names)


def _unknown(family: Family, name: str) -> str:
    known = names(family)
    elsewhere = [f"it is a {other}" for other in FAMILIES if other != family and name in _points(other)]
    hint = f" ({elsewhere[0]})" if elsewhere else did_you_mean(name.removeprefix("tigertag."), known)
    return f"There is no {family} called `{name}`{hint}; installed are {', '.join(known) or 'none'}"


def _extra(name: str, module: str) -> str:
    """How to get what a plugin of ours needs."""
    extras = metadata("tigertag").get_all("Provides-Extra", []) if module.startswith("tigertag.") else []
    return f": {_INSTALL.format(name)}" if name in extras else ""


def _import(family: Family, name: str, module: str, attribute: str) -> type[object]:
    try:
        found: object = getattr(import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        missing = error.name or str(error)
        if module == missing or module.startswith(f"{missing}."):
            raise ConfigError(f"There is no {family} `{name}`: no module `{missing}` is installed") from error
        raise ConfigError(
            f"The {family} `{name}` cannot be loaded: it needs the module `{missing}`, which is not installed"
            f"{_extra(name, module)}"
        ) from error
    except Exception as error:
        # The import of a stranger's module may raise anything, and say it over several lines.
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"The {family} `{name}` cannot be loaded: `{module}` failed with {why}") from error
    if isinstance(found, type):
        return found
    raise ConfigError(f"There is no {family} `{name}`: the module `{module}` has no class `{attribute}`")
