"""Turns what was written into a plugin's options, and what pydantic says about it into sentences.

No sentence holds a secret: the value of a secret field is never quoted, a URL is quoted without its password.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from tigertag.config.environment import Variable, expanded, looks_secret, mask, passwords_in
from tigertag.errors import ConfigError
from tigertag.options import Options

_SMALLEST_CLUE = 4
"""So many signs of a secret in a row betray it."""


@dataclass(frozen=True, slots=True)
class OptionField:
    """One field of an options class, as a variable sees it."""

    suffix: str
    """What stands behind `ENGINE_<ID>_`: `MIN_CONFIDENCE`."""
    key: str
    """What pydantic calls it: its alias where it has one."""
    attribute: str
    text: str
    """Its one line of description."""
    required: bool
    secret: bool
    expected: str
    """The kind expected, to follow "must be": `a whole number of at least 1`."""
    default: str
    """As it would be written; empty where there is none."""


@dataclass(frozen=True, slots=True)
class OptionFault:
    """Something is wrong with one field, or with their combination where `field` is None."""

    field: OptionField | None
    text: str
    """What stands behind the variable in the sentence; for a missing one, what it is."""
    missing: bool = False
    matters_when_disabled: bool = True


def fields_of(options: type[Options]) -> tuple[OptionField, ...]:
    """The fields of an options class in their order."""
    return tuple(_field(name, field) for name, field in options.model_fields.items())


def validated(
    options: type[Options], given: Mapping[str, Variable], cwd: Path
) -> tuple[Options | None, tuple[OptionFault, ...]]:
    """The options from variables by suffix, or all that is wrong with them. Relative paths start at `cwd`."""
    fields = fields_of(options)
    raw = {
        field.key: _raw(given[field.suffix], options.model_fields[field.attribute], cwd)
        for field in fields
        if field.suffix in given
    }
    absent = tuple(_absent(field, given, cwd) for field in fields)
    lost = tuple(fault for fault in absent if fault is not None)
    try:
        return options.model_validate(raw), lost
    except ConfigError as error:
        said = _redacted(" ".join(error.faults), _secrets(fields, given))
        return None, (*lost, OptionFault(None, f": {said or 'the settings do not fit together'}"))
    except ValidationError as error:
        by_key = {name: field for field in fields for name in (field.key, field.attribute)}
        secrets = _secrets(fields, given)
        faults = [
            _fault(by_key.get(str(one["loc"][0]) if one["loc"] else ""), one["type"], one["msg"], secrets)
            for one in error.errors(include_url=False, include_input=False)
        ]
        known = {fault.field for fault in lost}
        return None, (*lost, *(fault for fault in dict.fromkeys(faults) if fault.field not in known))


def unchecked(options: type[Options]) -> Options:
    """Options that nobody will build anything from: those of a disabled plugin that lack what it needs."""
    return options.model_construct()


def shown(value: object) -> str:
    """A value as it would be written in a `.env`, without passwords."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr | SecretBytes):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return ",".join(f"{key}={shown(one)}" for key, one in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return ",".join(shown(one) for one in value)
    return mask(str(value))


def _field(name: str, field: FieldInfo) -> OptionField:
    key = field.alias or name
    suffix = key.strip("_").upper()
    secret = any(kind in (SecretStr, SecretBytes) for kind in _kinds(field.annotation))
    return OptionField(
        suffix=suffix,
        key=key,
        attribute=name,
        text=field.description or "",
        required=field.is_required(),
        secret=secret or looks_secret(suffix, "x"),
        expected=_expected(field),
        default="" if field.is_required() else shown(field.get_default(call_default_factory=False)),
    )


def _raw(variable: Variable, field: FieldInfo, cwd: Path) -> object:
    if variable.whole:
        return (variable.value,)
    if Path in _kinds(field.annotation):
        return expanded(variable.value, cwd)
    return variable.value


def _absent(field: OptionField, given: Mapping[str, Variable], cwd: Path) -> OptionFault | None:
    """What is named `..._FOLDER` or `..._CONFIG` is read before anything else is done, so it must be there."""
    if field.suffix not in given:
        return None
    path = expanded(given[field.suffix].value, cwd)
    if field.suffix.endswith("_CONFIG") and not path.is_file():
        return OptionFault(field, f" must be a file, and there is none at {path}", matters_when_disabled=False)
    if field.suffix.endswith("_FOLDER") and not path.is_dir():
        return OptionFault(
            field, f" must be a folder, and there is none at {path}", matters_when_disabled=False
        )
    return None


def _fault(field: OptionField | None, kind: str, message: str, secrets: Sequence[str]) -> OptionFault:
    said = _redacted(message, secrets)
    if field is None:
        return OptionFault(None, f": {said or 'the settings do not fit together'}", matters_when_disabled=False)
    if kind == "missing":
        return OptionFault(field, field.text, missing=True, matters_when_disabled=False)
    if kind in ("value_error", "assertion_error") and said:
        # The plugin's own words: they know better than the type what is expected.
        return OptionFault(field, f": {said}")
    return OptionFault(field, f" must be {field.expected}")


def _secrets(fields: Iterable[OptionField], given: Mapping[str, Variable]) -> list[str]:
    """The secrets among the values: those of secret fields, and the passwords in URLs."""
    values = {field: given[field.suffix].value for field in fields if field.suffix in given}
    whole = [value for field, value in values.items() if field.secret]
    return whole + [password for value in values.values() for password in passwords_in(value)]


def _redacted(message: str, secrets: Sequence[str]) -> str:
    """A validator's message in one line without passwords; empty where it holds a piece of a secret."""
    said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    masked = mask(" ".join(said.split()))
    return "" if any(_betrays(masked, secret) for secret in secrets) else masked


def _betrays(message: str, secret: str) -> bool:
    width = min(_SMALLEST_CLUE, len(secret))
    return any(secret[at : at + width] in message for at in range(len(secret) - width + 1))


def _kinds(annotation: object) -> tuple[object, ...]:
    """The types that an annotation allows, unwrapped of unions and `Annotated`; None is none."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(kind for one in get_args(annotation) for kind in _kinds(one))
    return () if annotation is type(None) else (annotation,)


def _expected(field: FieldInfo) -> str:
    kinds = _kinds(field.annotation)
    words = " or ".join(dict.fromkeys(_kind_in_words(kind) for kind in kinds)) or "a value"
    limits = {
        name: getattr(one, name)
        for one in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if hasattr(one, name)
    }
    low = f"above {limits['gt']}" if "gt" in limits else f"of at least {limits['ge']}" if "ge" in limits else ""
    high = f"below {limits['lt']}" if "lt" in limits else f"of at most {limits['le']}" if "le" in limits else ""
    if set(limits) == {"ge", "le"}:
        return f"{words} from {limits['ge']} to {limits['le']}"
    return " ".join(filter(None, [words, " and ".join(filter(None, [low, high]))]))


def _kind_in_words(kind: object) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(one) for one in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(one.value) for one in kind)
    holder = get_origin(kind) or kind
    if holder in (tuple, list, set, frozenset):
        return "a list with commas"
    words: dict[object, str] = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
    if holder in words:
        return words[holder]
    named = getattr(kind, "__name__", "")
    return "a URL such as http://host:8000" if named.endswith("Url") else "a text"
