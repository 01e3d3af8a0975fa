"""Which photos wait: for an engine, and among those that a person named."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from tigertag.pipeline.choose import Choosy, may_see
from tigertag.pipeline.work import OpenSource
from tigertag.store import due
from tigertag.store.database import Database


def waits_for(
    database: Database,
    sources: Sequence[OpenSource],
    engine: Choosy,
    revision_id: int,
    *,
    by_input: bool = False,
    but: Collection[int] = (),
) -> int:
    """Photos of these sources that the revision has not answered; unopened copies count each by themselves.

    An engine that never ran has the revision 0, which no row has; `by_input` is for engines that read the file.
    The items in `but` are left out.
    """

    def counts(row_id: int, path: str) -> bool:
        return row_id not in but and may_see(engine, path)

    places = [source.row_id for source in sources]
    choosy = counts if but or engine.only or engine.except_ else None
    with database.reading() as session:
        unopened = due.count_unopened(session, places, choosy)
        return unopened + due.count_unanswered(session, places, revision_id, by_input=by_input, counts=choosy)


def as_shown(paths: Iterable[str], sources: Sequence[OpenSource]) -> frozenset[str]:
    """`paths` and, of those that name a file on disk below a folder that is scanned, the paths below it."""
    identities = [each.source.identity for each in sources]
    roots = [identity.split(":", 2)[2] for identity in identities if identity.startswith("folder:")]
    found = set(paths)
    for path in list(found):
        there = _on_disk(path)
        found.update(os.path.relpath(there, root) for root in roots if there.startswith(root.rstrip("/") + "/"))
    return frozenset(found)


def _on_disk(path: str) -> str:
    """The absolute path with the links of its folders resolved; a photo may itself be a link."""
    folder, name = os.path.split(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - text as it came
    return str(Path(folder).resolve() / name)
