"""From the variables of an entry to the plugin's options, and to the lines that `tigertag config` shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tigertag.config.environment import Variable, looks_secret, mask, with_file
from tigertag.config.families import Entry
from tigertag.config.legacy import short_name
from tigertag.config.options import OptionFault, shown, unchecked, validated
from tigertag.config.settings import Declared, Setting
from tigertag.model import fold
from tigertag.options import Options


def declare(entry: Entry, cwd: Path, faults: list[str]) -> Declared | None:
    """The entry with its options, or None with what is wrong among the faults.

    Of a disabled plugin only unknown and unreadable settings are faults, not missing ones.
    """
    if entry.options is None:
        # Its trouble is known: a fault where it is enabled.
        return None if entry.enabled else _declared(entry, Options())
    given = _values(entry, cwd, faults if entry.enabled else [])
    options, wrong = validated(entry.options, given, cwd)
    wrong = tuple(fault for fault in wrong if entry.enabled or fault.matters_when_disabled)
    faults.extend(_sentence(entry, fault, given) for fault in wrong)
    if options is None and not entry.enabled:
        options = unchecked(entry.options)
    return _declared(entry, options) if options is not None and not wrong else None


def settings_of(entry: Entry, declared: Declared | None, cwd: Path) -> Iterator[Setting]:
    """Every variable of the entry with its value and where it came from, secrets masked."""
    name = entry.given.get("NAME")
    yield Setting(_called(entry, "NAME"), entry.plugin, name.origin if name else "default")
    switch = entry.given.get("ENABLED")
    yield Setting(_called(entry, "ENABLED"), shown(entry.enabled), switch.origin if switch else "default")
    given = _values(entry, cwd, [])
    for field in entry.fields:
        variable = given.get(field.suffix)
        if variable is None:
            value = shown(getattr(declared.options, field.attribute, None)) if declared else ""
            yield Setting(_called(entry, field.suffix), value, "default", field.secret)
            continue
        secret = field.secret or looks_secret(field.suffix, variable.value)
        value = "***" if field.secret else mask(variable.value)
        yield Setting(_called(entry, field.suffix), value, variable.origin, secret)


def same_prefixes(engines: Iterable[Entry], cwd: Path) -> Iterator[str]:
    """A fault for each two enabled engines whose tags could not be told apart, whatever else is wrong."""
    first: dict[str, Entry] = {}
    for engine in engines:
        # `tti` and `tti_` give the same tags.
        key = fold(_prefix(engine, cwd)).rstrip("_")
        if not key or not engine.enabled:
            continue
        other = first.setdefault(key, engine)
        if other is not engine:
            one, two = (f"`{each.variable('PREFIX')}`" for each in (other, engine))
            yield f"{one} and {two} are the same: give each engine a prefix of its own, or none"


def _prefix(engine: Entry, cwd: Path) -> str:
    """As it was written, else the default of its options."""
    written = _values(engine, cwd, []).get("PREFIX")
    if written is not None:
        return written.value
    field = engine.options.model_fields.get("prefix") if engine.options else None
    return field.default if field and isinstance(field.default, str) else ""


def _declared(entry: Entry, options: Options) -> Declared:
    return Declared(entry.id.lower(), entry.family, entry.plugin, options, entry.enabled, entry.origin)


def _values(entry: Entry, cwd: Path, faults: list[str]) -> dict[str, Variable]:
    """The entry's options by suffix, those from files read."""
    suffixes = [field.suffix for field in entry.fields]
    found: dict[str, Variable] = {}
    for suffix in suffixes:
        # `MODEL_FILE` is no file that holds `MODEL` where it is an option itself.
        both = {key: value for key, value in entry.given.items() if key == suffix or key not in suffixes}
        variable = with_file(both, suffix, cwd, faults)
        if variable is not None:
            found[suffix] = variable
    return found


def _called(entry: Entry, suffix: str) -> str:
    """What the person calls the variable: `PLEX_TOKEN` to one who took the short way."""
    name = entry.variable(suffix)
    return short_name(name) if entry.came_the_short_way else name


def _sentence(entry: Entry, fault: OptionFault, given: dict[str, Variable]) -> str:
    if fault.field is None:
        return f"The {entry.family} `{entry.id.lower()}` ({entry.origin}){fault.text}"
    variable = given.get(fault.field.suffix)
    if variable is not None:
        return f"{variable.at}{fault.text}"
    name = _called(entry, fault.field.suffix)
    if not fault.missing:
        return f"`{name}`{fault.text}"
    what = f": {fault.text}" if fault.text else ""
    if name != entry.variable(fault.field.suffix):
        # One sentence for source and target, which both lack it.
        return f"`{name}` is missing; `PLEX_URL` and `PLEX_TOKEN` need each other{what}"
    return f"`{name}` is missing; the {entry.family} `{entry.id.lower()}` ({entry.origin}) needs it{what}"


def world_readable_secrets(shown_settings: Sequence[Setting], label: str) -> list[str]:
    """The names of the settings that come from the file `label` and are secrets."""
    return [one.name for one in shown_settings if one.secret and one.origin.startswith(f"{label} line ")]
