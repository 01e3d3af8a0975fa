"""What a person means by the name of a photo."""

from __future__ import annotations

import os

from sqlalchemy.orm import Session

from tigertag.errors import ConfigError
from tigertag.store import find


def items_named(session: Session, name: str) -> list[int]:
    """Items that go by `name`, live ones first. A path may start in the folder where we are, and lead over
    links.
    """
    # Those of pathlib raise for names that are no paths, such as `~nobody`.
    path = os.path.abspath(os.path.expanduser(name))  # noqa: PTH100, PTH111
    folder, _, last = path.rpartition("/")
    return find.items_like(session, name, (path, f"{os.path.realpath(folder)}/{last}"))


def photo_named(session: Session, name: str) -> list[int]:
    """As `items_named`. Raises ConfigError where there is none."""
    found = items_named(session, name)
    if not found:
        raise ConfigError(
            f"No photo is known as `{name}`: give a path, Section/Album/Title, a Plex key or an id"
        )
    return found
