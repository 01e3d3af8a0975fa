"""Where settings are written: options, the environment, the `.env` file. Reading them, nothing more.

An option beats the environment, the environment beats the file. An empty value is as if it were not set, so
that a copied `.env.example` says nothing by itself.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from dotenv.parser import parse_stream
from platformdirs import user_config_path

ENV_FILE = "TIGERTAG_ENV_FILE"
OPTION = "--option"
ENVIRONMENT = "environment"

_LONGEST_SECRET = 64 * 1024
_NEWLINE = re.compile(r"\r\n|\n|\r")
_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|APIKEY|(^|_)KEY)$", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)\S*@")
_SECRET_IN_QUERY = re.compile(
    r"([?&][^=&\s]*(?:token|secret|passw|passphrase|pwd|key)[^=&\s]*=)[^&\s]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as somebody set it."""

    name: str
    """What it is called today."""
    value: str = field(repr=False)
    origin: str
    """`environment`, `.env line 3`, `--option`."""
    written: str
    """What it was called where it was set: `SCANNER_PLEX_TOKEN` in a file of 2021."""
    whole: bool = False
    """Commas in the value separate nothing."""

    @property
    def at(self) -> str:
        """For a sentence: `` `PLEX_TOKEN` (.env line 3)``."""
        return f"`{self.written}` ({self.origin})"

    def called(self, name: str) -> Variable:
        """The same under today's name."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The `.env` that is in force, and its variables in the order of its lines."""

    path: Path
    label: str
    """What messages call it: `.env` for the one of the current folder, else its path."""
    variables: tuple[Variable, ...]

    @property
    def is_open_to_all(self) -> bool:
        """Whether everybody on this machine may read it. Pipes and other systems' permissions say nothing."""
        if os.name != "posix":
            return False
        mode = self.path.stat().st_mode
        return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable holds a secret, by its name or because its value is a URL with a password."""
    return bool(value) and (bool(_SECRET_NAME.search(name)) or mask(value) != value)


def mask(text: str) -> str:
    """`text` without the user part and the secret parameters of URLs: `http://***@host/`."""
    return _SECRET_IN_QUERY.sub(r"\1***", _USER_IN_URL.sub("***@", text))


def passwords_in(text: str) -> list[str]:
    """The passwords of the URLs in `text`; a user part without a colon is a password (a token)."""
    users = [part.removesuffix("@") for part in _USER_IN_URL.findall(text)]
    return [secret for user in users if (secret := user.rpartition(":")[2])]


def find_env_file(
    env_file: Path | None, environ: Mapping[str, str], cwd: Path, faults: list[str]
) -> EnvFile | None:
    """The first of `--env-file`, TIGERTAG_ENV_FILE, `./.env` and the user's config folder."""
    named = environ.get(ENV_FILE, "")
    if env_file is not None:
        return _asked_for(env_file, cwd, "--env-file", faults)
    if named:
        return _asked_for(Path(named), cwd, f"`{ENV_FILE}` (environment)", faults)
    users = user_config_path("tigertag", appauthor=False) / ".env"
    if _is_there(cwd / ".env"):
        return _read(cwd / ".env", ".env", faults)
    # Without a home the folder is a relative one that means nothing.
    return _read(users, str(users), faults) if users.is_absolute() and _is_there(users) else None


def layers(
    file: EnvFile | None, environ: Mapping[str, str], overrides: Mapping[str, str]
) -> tuple[tuple[Variable, ...], ...]:
    """What was set, the weakest layer first. The environment has no order of its own, so it is sorted."""
    return (
        file.variables if file else (),
        tuple(Variable(name, environ[name], ENVIRONMENT, name) for name in sorted(environ)),
        tuple(Variable(name, value, OPTION, name) for name, value in overrides.items()),
    )


def merged(found: Iterable[Iterable[Variable]]) -> dict[str, Variable]:
    """One variable for each name: that of the strongest layer, in the order in which names first appear."""
    result: dict[str, Variable] = {}
    for layer in found:
        result.update({variable.name: variable for variable in layer})
    return result


def with_file(variables: Mapping[str, Variable], name: str, cwd: Path, faults: list[str]) -> Variable | None:
    """The variable `name`, or what the file that `<name>_FILE` names holds; None where neither is set."""
    plain, pointer = variables.get(name), variables.get(f"{name}_FILE")
    if plain is not None and not plain.value:
        plain = None
    if pointer is None or not pointer.value:
        return plain
    if plain is not None:
        faults.append(f"{plain.at} and {pointer.at} are both given: remove one")
        return plain
    return _secret(pointer, name, cwd, faults)


def expanded(text: str, cwd: Path) -> Path:
    """A path as a person writes it: `~` is home, a relative one starts at `cwd`."""
    path = Path(text)
    # Without a home the path is taken literally and, not being there, is named as a fault.
    with suppress(RuntimeError):
        path = path.expanduser()
    return cwd / path


def _is_there(path: Path) -> bool:
    """False also where one may not look: the home of another user, as in a container, is no fault."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return False


def _asked_for(path: Path, cwd: Path, asked_by: str, faults: list[str]) -> EnvFile | None:
    there = expanded(str(path), cwd)
    if not _is_there(there):
        faults.append(f"{asked_by} names {path}, and there is no such file")
        return None
    return _read(there, str(path), faults)


def _read(path: Path, label: str, faults: list[str]) -> EnvFile | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        faults.append(f"{label} cannot be read: {error.strerror or error}")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        faults.append(f"{label} line {line} is not UTF-8 text: save the file as UTF-8")
        return None
    if "\0" in text:
        line = len(_NEWLINE.findall(text[: text.index("\0")])) + 1
        faults.append(f"{label} line {line} is not UTF-8 text: save the file as UTF-8")
        return None
    return EnvFile(path, label, tuple(_parse(text, label, faults)))


def _parse(text: str, label: str, faults: list[str]) -> list[Variable]:
    """Values are literal: `$` means itself. A bad line is named by its number; what it holds is not shown."""
    found: list[Variable] = []
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        line = binding.original.line + len(_NEWLINE.findall(blank))
        if binding.error or (binding.key is not None and binding.value is None):
            faults.append(f"{label} line {line} cannot be read: NAME=value is expected")
        elif binding.key is not None:
            found.append(Variable(binding.key, binding.value or "", f"{label} line {line}", binding.key))
    return found


def _secret(pointer: Variable, name: str, cwd: Path, faults: list[str]) -> Variable | None:
    # The value is not shown: it is a path only if nobody put the secret itself here.
    path = expanded(pointer.value, cwd)
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_SECRET + 1)
        text = raw.decode("utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or "it is not a text file"
        faults.append(f"{pointer.at} must name a file that can be read: {why}")
        return None
    if not text.strip() or "\n" in text or len(raw) > _LONGEST_SECRET:
        faults.append(f"{pointer.at} must name a file with the value in one line")
        return None
    written = pointer.written.removesuffix("_FILE")
    return Variable(name, text, f"{pointer.origin}, from {path}", written, pointer.whole)
