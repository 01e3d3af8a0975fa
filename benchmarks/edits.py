"""What was edited, how few edits would do, and answers whose tags are as frequent as words are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from sqlalchemy import select

from tigertag.app.context import App
from tigertag.store.tables import Edit

BATCH = 200
"""Photos in one edit, and in one read."""

Step: TypeAlias = tuple[str, str]
"""Add or remove, and the folded name."""
Tag: TypeAlias = tuple[float, str]
"""Percent and name, as Imagga says them."""


def fewest(changes: Sequence[frozenset[Step]]) -> int:
    """Edits of at most 200 photos that it takes by change or by tag, whichever takes fewer."""
    return min(_edits(changes), _edits(step for change in changes for step in change))


def _edits(alike: Iterable[object]) -> int:
    return sum(-(-count // BATCH) for count in Counter(alike).values())


def changes_of(app: App, run_id: int | None) -> list[frozenset[Step]]:
    """What a run did to each photo, in the order of the work; nothing, where there was no run."""
    done: dict[int, set[Step]] = {}
    with app.looking() as database, database.reading() as session:
        rows = session.execute(
            select(Edit.item_id, Edit.action, Edit.fold).where(Edit.run_id == run_id).order_by(Edit.id)
        )
        for item_id, action, name in rows:
            done.setdefault(item_id, set()).add((action, name))
    return [frozenset(steps) for steps in done.values()]


def by_zipf(words: int, said: int) -> Callable[[str], list[Tag]]:
    """`said` tags of a vocabulary of so many, drawn by Zipf's law; the same for the same seed."""
    names = [f"tag {number}" for number in range(words)]
    weights = [1 / rank for rank in range(1, words + 1)]

    def of(seed: str) -> list[Tag]:
        drawn = random.Random(seed)
        different: dict[str, None] = {}
        while len(different) < said:
            different.update(dict.fromkeys(drawn.choices(names, weights, k=said)))
        return [(drawn.uniform(30, 100), name) for name in list(different)[:said]]

    return of
