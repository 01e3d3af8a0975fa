"""`SOURCE_<ID>_…`, `ENGINE_<ID>_…`, `TARGET_<ID>_…`: which plugins are declared, and which variable is whose.

An ID may hold underscores, and so may an option; a variable belongs to the longest declared ID that knows its
option. An ID that is the name of an installed plugin needs no `NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tigertag import plugins
from tigertag.config.environment import ENVIRONMENT, Variable
from tigertag.config.options import OptionField, fields_of
from tigertag.errors import ConfigError
from tigertag.options import EngineOptions, Options, SourceOptions, TargetOptions
from tigertag.plugins import Family, closest, find, options_of, registered_name

_BASES: dict[Family, type[Options]] = {
    "source": SourceOptions,
    "engine": EngineOptions,
    "target": TargetOptions,
}
_RESERVED = ("NAME", "ENABLED")
_SWITCH = {
    "true": True,
    "yes": True,
    "1": True,
    "on": True,
    "false": False,
    "no": False,
    "0": False,
    "off": False,
}
_CLOSE = 0.85
"""So alike is a name of the environment to one of ours that nobody else can have meant it."""


@dataclass(slots=True)
class Entry:
    """A plugin that is declared, with the variables that are its own, by suffix."""

    family: Family
    id: str
    """Upper case, as in the variables."""
    plugin: str
    options: type[Options] | None
    """None where the plugin cannot be loaded."""
    trouble: str = ""
    """Why it cannot be loaded."""
    origin: str = "default"
    enabled: bool = True
    is_outline: bool = False
    """Only the options that its family shares are known: the plugin was not imported."""
    given: dict[str, Variable] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[OptionField, ...]:
        return fields_of(self.options) if self.options else ()

    @property
    def came_the_short_way(self) -> bool:
        """Whether `PLEX_…` declares it."""
        return any(one.written.startswith("PLEX_") for one in self.given.values())

    @property
    def is_only_switched_off(self) -> bool:
        """Whether `ENABLED=false` is all that is said of it."""
        return not self.enabled and self.given.keys() == {"ENABLED"}

    def variable(self, suffix: str) -> str:
        return f"{self.family.upper()}_{self.id}_{suffix}"

    @property
    def is_unknown(self) -> bool:
        """Whether it may have options that nobody knows of."""
        return self.options is None or self.is_outline

    def knows(self, suffix: str) -> bool:
        """Whether `suffix` is an option, or the file that holds one; an unknown plugin may have any."""
        known = {*_RESERVED, *(one.suffix for one in self.fields)}
        return self.is_unknown or suffix in known or suffix.removesuffix("_FILE") in known - {*_RESERVED}


class FamilyReading:
    """Sorts the variables of one family to its entries, and names those that belong nowhere."""

    def __init__(self, family: Family, variables: Mapping[str, Variable]) -> None:
        self.family = family
        self.entries: dict[str, Entry] = {}
        self.faults: list[str] = []
        self.warnings: list[str] = []
        prefix = f"{family.upper()}_"
        self._mine = {n.removeprefix(prefix): v for n, v in variables.items() if n.startswith(prefix)}
        self._built_in = {name.upper().replace("-", "_"): name for name in plugins.names(family)}
        self._implied: dict[str, Entry] = {}
        self._nameless: set[str] = set()
        self._declare()
        for rest, variable in self._mine.items():
            self._assign(rest, variable)
        self._settle()

    def imply(self, id: str, **options: str) -> None:
        """Declares the installed plugin of that name, which nobody asked for, with options by suffix."""
        entry = self._imply(id.upper())
        for suffix, value in options.items():
            name = entry.variable(suffix)
            entry.given[suffix] = Variable(name, value, "default", name)
        self.entries[entry.id] = entry
        self._report(entry)

    def _declare(self) -> None:
        """By `NAME`, the shortest ID first: `ENGINE_LOCAL_MODEL_NAME` may be an option of `local`."""
        for rest in sorted((rest for rest in self._mine if rest.endswith("_NAME")), key=len):
            variable, id = self._mine[rest], rest.removesuffix("_NAME")
            if variable.value and id and not self._owner(rest, strict=True):
                self.entries[id] = self._entry(id, variable.value)

    def _assign(self, rest: str, variable: Variable) -> None:
        if rest.removesuffix("_NAME") in self.entries and rest.endswith("_NAME"):
            self.entries[rest.removesuffix("_NAME")].given["NAME"] = variable
            return
        owner = self._owner(rest)
        if owner is None:
            if variable.value:
                self._name_orphan(rest, variable)
            return
        suffix = rest.removeprefix(f"{owner.id}_")
        if not owner.knows(suffix):
            near = closest(suffix, [*_RESERVED, *(one.suffix for one in owner.fields)])
            self.faults.append(unknown(variable, owner.variable(near) if near else ""))
        elif variable.value:
            self.entries.setdefault(owner.id, owner).given[suffix] = variable

    def _owner(self, rest: str, *, strict: bool = False) -> Entry | None:
        """The entry that `rest` belongs to. Strict: only one that has such an option."""
        ids = sorted(self.entries, key=len, reverse=True)
        ids += sorted(self._built_in.keys() - self.entries.keys(), key=len, reverse=True)
        fitting = [self.entries.get(id) or self._imply(id) for id in ids if rest.startswith(f"{id}_")]
        for entry in fitting:
            suffix = rest.removeprefix(f"{entry.id}_")
            if entry.knows(suffix) and not (strict and (suffix in _RESERVED or entry.is_unknown)):
                return entry
        return fitting[0] if fitting and not strict else None

    def _imply(self, id: str) -> Entry:
        if id not in self._implied:
            self._implied[id] = self._entry(id, self._built_in.get(id, id.lower()))
        return self._implied[id]

    def _entry(self, id: str, plugin: str) -> Entry:
        try:
            name = registered_name(self.family, plugin)
            return self._known_entry(id, name)
        except ConfigError as error:
            return Entry(self.family, id, plugin, None, str(error))

    def _known_entry(self, id: str, name: str) -> Entry:
        return Entry(self.family, id, name, options_of(find(self.family, name)))

    def _settle(self) -> None:
        """Puts the entries into the order in which their variables were written, and reports on each."""
        place = {variable.name: number for number, variable in enumerate(self._mine.values())}
        self.entries = dict(
            sorted(self.entries.items(), key=lambda one: min(place[v.name] for v in one[1].given.values()))
        )
        for entry in self.entries.values():
            first = min(entry.given.values(), key=lambda variable: place[variable.name])
            entry.origin = entry.given.get("NAME", first).origin
            entry.enabled = self._enabled(entry.given.get("ENABLED"))
            self._report(entry)

    def _enabled(self, variable: Variable | None) -> bool:
        if variable is None:
            return True
        enabled = _SWITCH.get(variable.value.strip().casefold())
        if enabled is None:
            self.faults.append(f"{variable.at} must be true or false")
        return enabled is not False

    def _report(self, entry: Entry) -> None:
        name = entry.given.get("NAME")
        at = name.at if name else f"`{entry.variable('NAME')}`"
        if entry.trouble and entry.enabled:
            self.faults.append(f"{at}: {entry.trouble}")
        elif entry.trouble:
            self.warnings.append(f"{at} is disabled, and could not be used: {entry.trouble}")

    def _name_orphan(self, rest: str, variable: Variable) -> None:
        """A variable of no declared ID. The environment may hold others' variables, which are not touched."""
        suffixes = {**self._known_names()}
        name = f"{self.family.upper()}_{rest}"
        near = closest(name, suffixes, _CLOSE)
        endings = {"ENABLED", *suffixes.values()}
        suffix = max((end for end in endings if rest.endswith(f"_{end}")), key=len, default="")
        if variable.origin == ENVIRONMENT and not near:
            if not suffix:
                return
            if self.family != "engine":
                missing = f"{self.family.upper()}_{rest.removesuffix(f'_{suffix}')}_NAME"
                self.warnings.append(f"{variable.at} is not looked at: `{missing}` is missing")
                return
        id = rest.removesuffix(f"_{suffix}") if suffix else rest.partition("_")[0]
        if near or id not in self._nameless:
            family = variable.written.partition("_")[0]
            self.faults.append(f"{unknown(variable, near)}: `{family}_{id}_NAME` is missing")
        self._nameless.add(id)

    def _known_names(self) -> dict[str, str]:
        """All variables of this family's declared and installed plugins, with their suffixes."""
        entries = [
            *self.entries.values(),
            *(self._imply(id) for id in self._built_in.keys() - self.entries.keys()),
        ]
        base = Entry(self.family, "<ID>", "", _BASES[self.family])
        return {
            entry.variable(suffix): suffix
            for entry in (*entries, base)
            for suffix in ("ENABLED", *(one.suffix for one in entry.fields))
        }


class OutlineReading(FamilyReading):
    """The same without importing a plugin: of its options only those are known that its family shares."""

    def _known_entry(self, id: str, name: str) -> Entry:
        return Entry(self.family, id, name, _BASES[self.family], is_outline=True)


def share_path_maps(sources: FamilyReading, targets: FamilyReading) -> None:
    """A target that writes files finds those of a server as the source does, unless it says otherwise."""
    suffix = "PATH_MAP"
    maps = [entry.given[suffix] for entry in sources.entries.values() if suffix in entry.given]
    for entry in targets.entries.values():
        knows = any(one.suffix == suffix for one in entry.fields)
        if maps and knows and suffix not in entry.given:
            entry.given[suffix] = replace(maps[0], value=",".join(one.value for one in maps))


def unknown(variable: Variable, near: str) -> str:
    """The sentence of C1: what is not known, what was probably meant, and where it stands."""
    hint = f" (did you mean `{near}`?)" if near else ""
    return f"Unknown setting `{variable.written}`{hint}, {variable.origin}"
