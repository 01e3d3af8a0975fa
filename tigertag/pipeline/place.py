"""Where tags lie in the tree of a target that shows one: as the vocabulary has it now. Pure."""

from __future__ import annotations

from tigertag.model import Shown, fold
from tigertag.pipeline.plan import Plan
from tigertag.pipeline.policy import Wanted
from tigertag.pipeline.standing import Standing


def to_move(standing: Standing, seen: Shown, decided: Plan) -> tuple[str, ...]:
    """Tags of ours that stay, and lie elsewhere in the tree than is wanted, in the target's spelling."""
    wanted = {tag.fold: tag for tag in standing.known.wanted}
    ours = ((entry.name, wanted.get(entry.fold)) for entry in decided.kept if entry.ours)
    return tuple(name for name, tag in ours if tag is not None and _lies_elsewhere(seen, tag))


def _lies_elsewhere(seen: Shown, tag: Wanted) -> bool:
    there = seen.paths.get(tag.fold)
    return there is not None and [*map(fold, there)] != [*map(fold, tag.path)]
