"""What another vocabulary would change, before it is used. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sqlalchemy.orm import Session

from tigertag.app.context import App
from tigertag.app.tags import Spoken, kept_away, photos_by_part
from tigertag.config.vocabulary import read_vocabulary
from tigertag.config.vocabulary_check import doubts
from tigertag.errors import ConfigError
from tigertag.pipeline.policy import Policy, Wanted, wanted
from tigertag.store import items, ledger

_EXAMPLES = 3
_Move: TypeAlias = "tuple[int, list[Wanted], list[Wanted]]"


@dataclass(slots=True)
class TagChange:
    """A tag that photos would get, or lose."""

    name: str
    kind: str
    added: int = 0
    removed: int = 0
    added_to: list[str] = field(default_factory=list)
    """Some of the photos."""
    removed_from: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trial:
    """The difference between two vocabularies over the library."""

    photos: int
    """That were looked at."""
    changed: int
    tags: list[TagChange]
    """Those that most photos would lose or get first."""
    warnings: list[str]


def try_vocabulary(app: App, path: Path) -> Trial:
    """What would change with the vocabulary in `path`: wanted tags against wanted tags, photo by photo.

    What a verdict keeps away is not added, and what was there before TigerTag is not removed. Raises
    ConfigError with all faults of the file.
    """
    faults: list[str] = []
    words = read_vocabulary(path, str(path), faults)
    if faults:
        raise ConfigError(*faults)
    declared = {each.id: each.enabled for each in app.settings.engines}
    found: dict[tuple[str, str], TagChange] = {}
    with app.looking() as database, database.reading() as session:
        now = app.policy_over(database)
        then = Policy(now.engines, words, now.sights)
        photos, changed = _compare(session, now, then, found)
    tags = sorted(found.values(), key=lambda each: (-each.added - each.removed, each.name))
    return Trial(photos, changed, tags, doubts(words, declared))


def _compare(
    session: Session, now: Policy, then: Policy, found: dict[tuple[str, str], TagChange]
) -> tuple[int, int]:
    """Photos looked at, and those that change."""
    photos = changed = 0
    for part in photos_by_part(session, list(now.engines)):
        photos += len(part)
        moves = _moves(session, part, now, then)
        changed += len(moves)
        examples: dict[int, list[list[str]]] = {}
        for item_id, add, remove in moves:
            for tag in add:
                change = _change(found, tag)
                change.added += 1
                _wants_example(examples, item_id, change.added, change.added_to)
            for tag in remove:
                change = _change(found, tag)
                change.removed += 1
                _wants_example(examples, item_id, change.removed, change.removed_from)
        for item_id, path in items.paths(session, [*examples]).items():
            for listed in examples[item_id]:
                listed.append(path)
    return photos, changed


def _change(found: dict[tuple[str, str], TagChange], tag: Wanted) -> TagChange:
    return found.setdefault((tag.kind, tag.fold), TagChange(tag.name, tag.kind))


def _wants_example(examples: dict[int, list[list[str]]], item_id: int, number: int, listed: list[str]) -> None:
    if number <= _EXAMPLES:
        examples.setdefault(item_id, []).append(listed)


def _moves(session: Session, part: Sequence[Spoken], now: Policy, then: Policy) -> list[_Move]:
    """Items with the tags that they get and lose, without those that verdicts and other hands decide about."""
    moves = [move for photo in part if (move := _difference(photo, now, then))]
    photo_of = {photo.item_id: photo.photo_id for photo in part}
    against = kept_away(session, [(item_id, photo_of[item_id]) for item_id, _, _ in moves])
    theirs = _theirs(session, [item_id for item_id, _, _ in moves])
    found = []
    for item_id, add, remove in moves:
        away = against[item_id]
        added = [tag for tag in add if away.isdisjoint((tag.canonical, tag.fold))]
        gone = [tag for tag in remove if away.isdisjoint((tag.canonical, tag.fold))]
        removed = [tag for tag in gone if tag.fold not in theirs[item_id]]
        if added or removed:
            found.append((item_id, added, removed))
    return found


def _difference(photo: Spoken, now: Policy, then: Policy) -> _Move | None:
    before = {tag.fold: tag for tag in wanted(photo.said, now)}
    after = {tag.fold: tag for tag in wanted(photo.said, then)}
    if before.keys() == after.keys():
        return None
    add = [tag for key, tag in after.items() if key not in before]
    remove = [tag for key, tag in before.items() if key not in after]
    return photo.item_id, add, remove


def _theirs(session: Session, item_ids: Sequence[int]) -> dict[int, set[str]]:
    """The folded names on each item that are there by somebody else's hand wherever they are."""
    found: dict[int, set[str]] = {item_id: set() for item_id in item_ids}
    ours: dict[int, set[str]] = {item_id: set() for item_id in item_ids}
    for target in ledger.targets(session):
        for item_id, rows in ledger.entries(session, target.id, item_ids).items():
            for row in rows:
                (ours if row.origin == "ours" else found)[item_id].add(row.fold)
    return {item_id: names - ours[item_id] for item_id, names in found.items()}
