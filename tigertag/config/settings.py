"""What a configuration is once it has been read: frozen, and safe to print."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tigertag.model import Vocabulary
from tigertag.options import Options
from tigertag.plugins import Family


@dataclass(frozen=True, slots=True)
class Declared:
    """A source, engine or target that somebody asked for."""

    id: str
    """Lower case; names the plugin's rows: `imagga` of `ENGINE_IMAGGA_NAME`."""
    family: Family
    plugin: str
    """An entry point's name or a dotted path, for `plugins.find`."""
    options: Options = field(repr=False)
    """Those of the plugin; what a disabled plugin lacks is left out. A URL in them may hold a password."""
    enabled: bool = True
    origin: str = "default"
    """Where it was declared: `.env line 3`, `environment`; `default` where nobody did."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of `tigertag config`."""

    name: str
    value: str
    """Masked where secret; empty where not set."""
    origin: str
    """`environment`, `.env line 3`, `--option`, `default`."""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force."""

    db_url: str = field(repr=False)
    """For SQLAlchemy's `create_engine`, with driver and password."""
    db_url_shown: str
    """The same with the password masked."""
    sources: tuple[Declared, ...]
    engines: tuple[Declared, ...]
    targets: tuple[Declared, ...]
    vocabulary: Vocabulary
    shown: tuple[Setting, ...]
    warnings: tuple[str, ...]
    state_dir: Path
    """The user's data folder for TigerTag; it may not be there yet."""
    vocabulary_file: Path = Path("vocabulary.yaml")
    """Where the vocabulary is read from, or would be if it were there."""
