"""Which photos wait: for an engine, and among those that a person named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tigertag.pipeline.analyze import Choosy, may_see
from tigertag.pipeline.work import OpenSource
from tigertag.store import items
from tigertag.store.database import Database


def waits_for(
    database: Database,
    sources: Sequence[OpenSource],
    engine: Choosy,
    revision_id: int,
    *,
    by_input: bool = False,
) -> int:
    """Photos of these sources that the revision has not answered; unopened copies count each by themselves.

    An engine that never ran has the revision 0, which no row has; `by_input` is for engines that read the file.
    """
    unopened: set[str] = set()
    known: set[int] = set()
    with database.reading() as session:
        for source in sources:
            due = [
                each for each in items.due(session, source.row_id, [revision_id]) if may_see(engine, each.path)
            ]
            unopened.update(f"{source.row_id}/{each.path}" for each in due if each.unread)
            rows = items.by_ids(session, [each.id for each in due if not each.unread])
            known.update(photo for _, photo in rows.values() if photo is not None)
            unlisted = items.without_analysis(session, source.row_id, revision_id, by_input=by_input)
            known.update(photo for _, photo, _, path in unlisted if may_see(engine, path))
    return len(unopened) + len(known)


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
