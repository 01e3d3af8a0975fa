"""Finding and counting for people: photos by the names they go by, and the state of the library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tigertag.store.items import chunks, digest, glob_path, unread
from tigertag.store.ledger import confirmed_of
from tigertag.store.tables import Edit, ItemRow, Ledger, PhotoRow, SourceRow

_PLEX_KEY = re.compile(r"(?:/library/metadata/|%2Flibrary%2Fmetadata%2F)(\d+)", re.IGNORECASE)
_SHORTEST_ID = 4
_MOST_MEANT = 20


def items_like(session: Session, name: str, on_disk: Sequence[str] = ()) -> list[int]:
    """Items that go by `name`, live ones first: key, path, Section/Album/Title, Plex key or URL, id prefix.

    `on_disk` are the absolute paths that the name may stand for; where one is known, that is what is meant.
    """
    url = _PLEX_KEY.search(name)
    key = url.group(1) if url else name
    # The index begins with the source; without it every item would be read.
    sources = ItemRow.source_id.in_(select(SourceRow.id))
    rows = [each for path in dict.fromkeys(on_disk) for each in _on_disk(session, path)]
    rows = rows or list(session.scalars(select(ItemRow.id).where(sources, ItemRow.key_hash == digest(key))))
    rows = rows or _by_path(session, name) or _by_title(session, name) or _by_content(session, name)
    gone = {
        row.id: row.gone_since is not None
        for row in session.execute(select(ItemRow.id, ItemRow.gone_since).where(ItemRow.id.in_(rows)))
    }
    return sorted(rows, key=lambda each: (gone[each], each))


def _by_path(session: Session, name: str) -> list[int]:
    """By path, with or without its section, or by the path on disk below a folder that was scanned."""
    section, _, rest = name.partition("/")
    found = list(session.scalars(select(ItemRow.id).where(ItemRow.path_hash == digest(name))))
    if not found and rest:
        found = list(
            session.scalars(
                select(ItemRow.id).where(ItemRow.path_hash == digest(rest), ItemRow.section == section)
            )
        )
    return found or _on_disk(session, name)


def _on_disk(session: Session, name: str) -> list[int]:
    found: list[int] = []
    for source_id, identity in session.execute(select(SourceRow.id, SourceRow.identity)):
        root = identity.partition(":")[2].partition(":")[2].rstrip("/")
        if not root or f"{name}/"[: len(root) + 1] != f"{root}/":
            continue
        rest = name[len(root) + 1 :] or name.rpartition("/")[2]  # a source may be a single photo
        query = select(ItemRow.id).where(ItemRow.path_hash == digest(rest), ItemRow.source_id == source_id)
        found += session.scalars(query)
    return found


def _by_title(session: Session, name: str) -> list[int]:
    parts = name.split("/")
    query = select(ItemRow.id, ItemRow.section, ItemRow.album, ItemRow.title).where(ItemRow.title == parts[-1])
    rows = session.execute(query)
    return [
        row.id
        for row in rows
        if name in (glob_path(row.section, "/".join(filter(None, (row.album, row.title)))), row.title)
    ]


def _by_content(session: Session, name: str) -> list[int]:
    """By the beginning of a content id, with or without its scheme."""
    if len(name) < _SHORTEST_ID or not re.fullmatch(r"(\w+:)?[0-9a-f]+", name):
        return []
    scheme, _, start = name.rpartition(":")
    found: list[int] = []
    for each in [scheme] if scheme else _schemes(session):
        first = f"{each}:{start}"
        last = f"{first}g"  # comes after all that goes on with a hexadecimal digit
        mine = (PhotoRow.content_id >= first, PhotoRow.content_id < last)
        found += session.scalars(select(ItemRow.id).join(PhotoRow).where(*mine).limit(_MOST_MEANT))
    return found[:_MOST_MEANT]


def _schemes(session: Session) -> list[str]:
    """The schemes of content ids that there are, each found by a look into the index."""
    found: list[str] = []
    after = ""
    while first := session.scalar(select(func.min(PhotoRow.content_id)).where(PhotoRow.content_id > after)):
        found.append(first.partition(":")[0])
        after = f"{found[-1]};"  # the sign that follows a colon
    return found


def item_row(session: Session, item_id: int) -> tuple[ItemRow, SourceRow, PhotoRow | None]:
    row = session.get_one(ItemRow, item_id)
    photo = session.get(PhotoRow, row.photo_id) if row.photo_id is not None else None
    return row, session.get_one(SourceRow, row.source_id), photo


def source_counts(session: Session) -> list[tuple[str, int, int, int, dict[str, int]]]:
    """Label, live items, waiting to be opened, unreadable, and by extra those that need one; by source."""
    found = []
    for source in session.scalars(select(SourceRow).order_by(SourceRow.id)):
        live = (ItemRow.source_id == source.id, ItemRow.gone_since.is_(None))
        needs = session.execute(
            select(ItemRow.needs, func.count()).where(*live, ItemRow.needs.is_not(None)).group_by(ItemRow.needs)
        )
        found.append(
            (
                source.label,
                _count(session, *live),
                _count(session, *live, unread()),
                _count(session, *live, ItemRow.problem.is_not(None)),
                {extra or "": count for extra, count in needs},
            )
        )
    return found


def _count(session: Session, *where: object) -> int:
    return session.scalar(select(func.count()).select_from(ItemRow).where(*where)) or 0  # type: ignore[arg-type]


def unreadable(session: Session) -> list[tuple[str, str]]:
    """Path and reason of live items that cannot be read."""
    rows = session.execute(
        select(ItemRow.path, ItemRow.problem)
        .where(ItemRow.problem.is_not(None), ItemRow.gone_since.is_(None))
        .order_by(ItemRow.path)
    )
    return [(path, problem or "") for path, problem in rows]


def edits_of(session: Session, run_id: int) -> list[tuple[str, str, str, str]]:
    """Path, `+` or `-`, tag and state of each edit of a run."""
    rows = session.execute(
        select(Edit, ItemRow.section, ItemRow.path).join(ItemRow).where(Edit.run_id == run_id).order_by(Edit.id)
    ).all()
    back = _taken_back(session, sorted({edit.item_id for edit, _, _ in rows}))
    words = {"confirmed": "done", "intended": "in doubt", "withdrawn": "given up"}
    return [
        (
            glob_path(section, path),
            "+" if edit.action == "add" else "-",
            edit.name,
            "taken back" if edit.id in back else words[edit.state],
        )
        for edit, section, path in rows
    ]


def _taken_back(session: Session, item_ids: list[int]) -> set[int]:
    """Rows that a row which counts takes back."""
    taken: set[int] = set()
    for row in reversed(confirmed_of(session, item_ids)):
        if row.undoes is not None and row.id not in taken:
            taken.add(row.undoes)
    return taken


def shown_counts(session: Session) -> Counter[str]:
    """Photos that show each tag somewhere, by folded name."""
    rows = session.execute(
        select(Ledger.fold, func.count(ItemRow.photo_id.distinct())).join(ItemRow).group_by(Ledger.fold)
    )
    return Counter({name: count for name, count in rows})


def live_items(session: Session) -> list[int]:
    return list(session.scalars(select(ItemRow.id).where(ItemRow.gone_since.is_(None))))


def sections(session: Session) -> set[str]:
    """The sections that live items lie in."""
    return set(session.scalars(select(ItemRow.section).where(ItemRow.gone_since.is_(None)).distinct()))


def items_of_section(session: Session, section: str) -> list[int]:
    query = select(ItemRow.id).where(ItemRow.section == section, ItemRow.gone_since.is_(None))
    return list(session.scalars(query))


def items_meant(session: Session, name: str) -> frozenset[int] | None:
    """Items of the source or the section that a person means, those that are gone too.

    By identity or label of a source, by the title of a section in whatever case, or by a part of a label that
    only one source has. None where nothing is called so.
    """
    sources = session.execute(select(SourceRow.id, SourceRow.identity, SourceRow.label)).all()
    exact = [row.id for row in sources if name in (row.identity, row.label)]
    alike = [row.id for row in sources if name.casefold() in row.label.casefold()]
    titles = [
        title
        for title in session.scalars(select(ItemRow.section).distinct())
        if title and title.casefold() == name.casefold()
    ]
    if not exact and titles:
        return frozenset(session.scalars(select(ItemRow.id).where(ItemRow.section.in_(titles))))
    one = exact or (alike if len(alike) == 1 else [])
    if not one:
        return None
    return frozenset(session.scalars(select(ItemRow.id).where(ItemRow.source_id == one[0])))


def items_below(session: Session, folder: str) -> list[int]:
    """Live items of folder sources that lie in `folder` on disk, or below it."""
    inside = folder.rstrip("/") + "/"
    rows = session.execute(
        select(ItemRow.id, ItemRow.path, SourceRow.identity)
        .join(SourceRow)
        .where(SourceRow.identity.startswith("folder:"), ItemRow.gone_since.is_(None))
    )
    return [
        row.id
        for row in rows
        if f"{row.identity.partition(':')[2].partition(':')[2].rstrip('/')}/{row.path}".startswith(inside)
    ]


def identities_of(session: Session, item_ids: list[int]) -> list[str]:
    """The sources that these items lie in."""
    found: set[str] = set()
    for part in chunks(item_ids):
        found.update(
            session.scalars(select(SourceRow.identity).join(ItemRow).where(ItemRow.id.in_(part)).distinct())
        )
    return sorted(found)
