"""Which examples are wanted: what `faces.yaml` and the faces folder say. Reads files, asks nobody.

    faces:
      - tag: Anna
        images:
          - name: anna/2019.jpg      # below the faces folder

Without a `faces.yaml` each folder in the faces folder is a person. One bad file or name is one problem; a file
that is not there now leaves what was added from it, because absence is not evidence.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tigertag.engines.compreface_yaml import printable, read_yaml
from tigertag.errors import ConfigError
from tigertag.model import fold

LONGEST_SUBJECT = 50
"""Characters of a name as Java counts them (CompreFace#1236)."""
_MOST_BYTES = 200 << 20
_JUNK = frozenset({"thumbs.db", "desktop.ini", "@eadir"})
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".bmp", ".gif", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Example:
    """A picture of one person. The same bytes are the same example, whatever the file is called."""

    subject: str
    name: str
    """Below the faces folder, for people."""
    path: Path
    sha256: str
    """Of the file, hex."""

    @property
    def key(self) -> tuple[str, str]:
        return fold(self.subject), self.sha256

    @property
    def origin(self) -> tuple[str, str]:
        return fold(self.subject), self.name


@dataclass(frozen=True, slots=True)
class Wanted:
    """The examples that there should be."""

    examples: tuple[Example, ...] = ()
    held: frozenset[tuple[str, str]] = frozenset()
    """(folded subject, name) of files that cannot be read now: what was added from them stays."""
    problems: tuple[str, ...] = ()
    is_known: bool = True
    """False where nothing says what is wanted (no folder, an empty one): nothing may be removed."""


class Unreadable(Exception):
    """An example's file cannot be used; the text continues "anna/1.jpg …"."""


def trouble_with_name(name: str) -> str:
    """Why CompreFace would refuse or mistake this name; empty where it would not."""
    if not name.strip():
        return "is empty"
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_SUBJECT:
        return f"has more than {LONGEST_SUBJECT} characters"
    if not name.isprintable():
        return "holds characters that cannot be shown"
    bad = [sign for sign in ";/\\" if sign in name]
    return f"holds {' and '.join(f'`{sign}`' for sign in bad)}" if bad else ""


@dataclass(slots=True)
class _Found:
    """What was found so far, in the order of file or folder."""

    examples: dict[tuple[str, str], Example] = field(default_factory=dict)
    held: set[tuple[str, str]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    spelling: dict[str, str] = field(default_factory=dict)

    def wanted(self) -> Wanted:
        return Wanted(tuple(self.examples.values()), frozenset(self.held), tuple(self.problems))


class Faces:
    """The examples a user gives. Files are hashed once, and again when size or time of change moved."""

    def __init__(self, folder: Path | None, config: Path | None) -> None:
        self._folder = folder if folder is not None or config is None else config.parent
        self._config = config
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}

    @property
    def is_given(self) -> bool:
        return self._folder is not None

    def wanted(self) -> Wanted:
        """Raises ConfigError where faces.yaml cannot be read or is not as described."""
        root = self._folder
        if root is None:
            problem = (
                "No examples are configured: set FACES_FOLDER, and FACES_CONFIG for a faces.yaml elsewhere"
            )
            return Wanted(problems=(problem,), is_known=False)
        config = self._config or _yaml_in(root)
        people = read_yaml(config) if config is not None else None
        if not root.is_dir():
            problem = f"The faces folder {root} is not there; is the disk mounted? No example was removed"
            return Wanted(problems=(problem,), is_known=False)
        found = _Found()
        for tag, names in people if people is not None else _people_in(root, found):
            self._person(root, tag, names, found)
        if people is None and not found.examples and not found.held:
            found.problems.append(
                f"The faces folder {root} holds no folder of a person with pictures; no example was removed"
            )
            return Wanted(problems=tuple(found.problems), is_known=False)
        return found.wanted()

    def _person(self, root: Path, tag: str, names: Sequence[str], found: _Found) -> None:
        subject = unicodedata.normalize("NFC", tag.strip())
        trouble = trouble_with_name(subject)
        if trouble:
            found.problems.append(f"The name {printable(tag)!r} {trouble}; its examples are left out")
            return
        subject = found.spelling.setdefault(fold(subject), subject)
        for name in names:
            try:
                path = _inside(root, name)
                example = Example(subject, printable(name), path, self._hash(path))
            except Unreadable as error:
                found.problems.append(f"{printable(name)} ({subject}) {error}")
                found.held.add((fold(subject), printable(name)))
            else:
                found.examples.setdefault(example.key, example)

    def _hash(self, path: Path) -> str:
        with open_file(path) as file:
            facts = os.fstat(file.fileno())
            stamp = (facts.st_size, facts.st_mtime_ns)
            known = self._hashes.get(path)
            if known is None or known[0] != stamp:
                known = self._hashes[path] = (stamp, _digest(file))
        return known[1]


def open_file(path: Path) -> io.BufferedReader:
    """A regular file, opened without ever waiting. Raises Unreadable."""
    try:
        # A FIFO would block here without O_NONBLOCK, for ever.
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unreadable("is not there") from error
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    facts = os.fstat(number)
    if stat.S_ISREG(facts.st_mode) and facts.st_size <= _MOST_BYTES:
        return os.fdopen(number, "rb")
    os.close(number)
    raise Unreadable("is too large" if stat.S_ISREG(facts.st_mode) else "is no file")


def _digest(file: io.BufferedReader) -> str:
    try:
        return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error


def _inside(root: Path, name: str) -> Path:
    try:
        path = (root / name).resolve()
        if path.is_relative_to(root.resolve()):
            return path
    except (OSError, ValueError, RuntimeError) as error:
        raise Unreadable("is no path that can be followed") from error
    raise Unreadable("lies outside the faces folder")


def _yaml_in(root: Path) -> Path | None:
    return next((path for path in (root / "faces.yaml", root / "faces.yml") if path.is_file()), None)


def _people_in(root: Path, found: _Found) -> Iterator[tuple[str, list[str]]]:
    """Each folder as a person, with the files below it."""
    for entry in sorted(_listed(root), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield entry.name, sorted(_files_below(root, Path(entry.path)))
        elif entry.is_symlink() and entry.is_dir():
            found.problems.append(
                f"{printable(entry.name)} is a link; put the folder itself into the faces folder"
            )
        elif Path(entry.name).suffix.lower() in _PICTURES:
            found.problems.append(
                f"{printable(entry.name)} lies loose; put it into a folder with the person's name"
            )


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not _is_hidden(entry.name)]
    except OSError as error:
        raise ConfigError(f"The faces folder {folder} cannot be read ({error.strerror})") from error


def _files_below(root: Path, folder: Path) -> Iterator[str]:
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        yield from ((Path(at) / name).relative_to(root).as_posix() for name in files if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK
