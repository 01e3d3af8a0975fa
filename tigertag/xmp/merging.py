"""From the fields as they are to the fields as they shall be: merged, never replaced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tigertag.model import fold
from tigertag.xmp.fields import (
    SEPARATOR,
    Field,
    Fields,
    Path,
    Provenance,
    Tag,
    Way,
    leaf,
    leaves,
    others,
    path_of,
    same,
    standing,
    value_of,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of a container."""

    add: tuple[Tag, ...] = ()
    remove: tuple[str, ...] = ()
    caption: str | None = None
    """A caption for the photo, written where there is none or one of ours. None: as it is."""


def merged(now: Fields, edit: Edit, way: Way, beside: Fields | None = None) -> Fields:
    """`now` with ours added and taken out.

    Every field of the profile comes to hold the whole list, others' tags too, each under its path where one
    is known: a reader takes one field and no other. `beside` is what the picture file itself holds where
    `now` is its sidecar, whose list would hide it. Without a tag of ours left, all that we ever put there
    goes, and what is left is what others wrote.
    """
    ours = _ours(now, edit, way)
    caption, own_caption = _caption(now, edit, is_last=not ours)
    theirs = _without_lost(now, edit, way)
    if not ours and not own_caption:
        return Fields(theirs, caption)
    withheld = _withheld(now, ours)
    put = _put(ours, theirs, withheld, way, beside) if ours else {}
    values = {
        each: joined
        for each in Field
        if (joined := _joined(now.of(each), theirs.get(each, ()), put.get(each, ())))
    }
    tags = {tag.name: tag.engines for tag in ours.values()}
    is_made = now.provenance is not None and now.provenance.made
    embedded = _once(leaf(*pair) for pair in others(beside) if leaf(*pair)) if beside else ()
    return Fields(values, caption, Provenance(tags, put, withheld, embedded, own_caption, way.program, is_made))


def _ours(now: Fields, edit: Edit, way: Way) -> dict[str, Tag]:
    """Our tags as they shall be, root included, by folded name.

    What a person took out of one field is ours no more. A tag that stands stays under its path. One that is to
    be added and that others wrote already stays theirs.
    """
    stands = standing(now)
    theirs = {fold(leaf(*pair)) for pair in others(now)} - now.ours.keys()
    gone = {same(name) for name in edit.remove}
    ours: dict[str, Tag] = {}
    for name, engines in (now.provenance.tags if now.provenance else {}).items():
        if same(name) not in gone and same(name) in stands:
            ours[same(name)] = Tag(name, _longest(now, same(name))[:-1], engines)
    for tag in edit.add:
        if same(tag.name) in theirs:
            continue
        ours[same(tag.name)] = replace(tag, parents=_rooted(way, (*tag.parents, tag.name))[:-1])
    return ours


def parents(now: Fields, way: Way) -> dict[str, Path]:
    """The names above each tag of ours that we put into a tree and that still lies there, root left out.

    By folded name. What a person moved is not ours to move.
    """
    found: dict[str, Path] = {}
    for each in SEPARATOR:
        there = set(now.of(each))
        for path in (path_of(each, value) for value in now.put(each) if value in there):
            key = fold(path[-1])
            found[key] = max(found.get(key, ()), _without_root(way, path)[:-1], key=len)
    names = now.provenance.tags if now.provenance else ()
    return {fold(name): found[same(name)] for name in names if same(name) in found}


def _without_root(way: Way, path: Path) -> Path:
    return path[1:] if way.root and len(path) > 1 and fold(path[0]) == fold(way.root) else path


def _rooted(way: Way, path: Path) -> Path:
    return path if not way.root or fold(path[0]) == fold(way.root) else (way.root, *path)


def _longest(now: Fields, key: str) -> Path:
    """The path under which we put a tag, root included; the bare name where no field keeps paths."""
    paths = [
        path_of(each, value)
        for each in Field
        for value in now.put(each)
        if fold(leaf(each, value)) == key and value in now.of(each)
    ]
    return max(paths, key=len, default=(key,))


def _caption(now: Fields, edit: Edit, *, is_last: bool) -> tuple[str, str]:
    """The caption, and the caption of ours on record. It goes with our last tag, so that nothing of ours stays.

    One that a person changed is theirs; one that a person deleted is not written again.
    """
    old = now.provenance.caption if now.provenance else ""
    if now.caption != old:
        return (now.caption, "") if now.caption or is_last else ("", old)
    wish = "" if is_last else old if edit.caption is None else edit.caption
    return wish, wish


def _without_lost(now: Fields, edit: Edit, way: Way) -> dict[Field, tuple[str, ...]]:
    """Others' values. Where the record of ours is lost, less what we would have written for tags to remove."""
    lost = edit.remove if now.provenance is None else ()
    found: dict[Field, list[str]] = {}
    for each, value in others(now):
        spelled = {fold(value_of(each, path)) for name in lost for path in ((name,), _rooted(way, (name,)))}
        if fold(value) not in spelled:
            found.setdefault(each, []).append(value)
    return {each: tuple(values) for each, values in found.items()}


def _withheld(now: Fields, ours: Mapping[str, Tag]) -> dict[Field, tuple[str, ...]]:
    """Values of others that we carried over and that stand there no more."""
    found: dict[Field, tuple[str, ...]] = {}
    for each in Field:
        before = now.provenance.withheld.get(each, ()) if now.provenance else ()
        there = {fold(value) for value in now.of(each)}
        carried = [value for value in now.put(each) if fold(leaf(each, value)) not in {*now.ours, *ours}]
        if gone := [value for value in (*before, *carried) if fold(value) not in there]:
            found[each] = _once(gone)
    return found


def _put(
    ours: Mapping[str, Tag],
    theirs: Mapping[Field, tuple[str, ...]],
    withheld: Mapping[Field, tuple[str, ...]],
    way: Way,
    beside: Fields | None,
) -> dict[Field, tuple[str, ...]]:
    """The values that shall be ours, field by field."""
    carried = _paths(theirs, beside)
    put: dict[Field, tuple[str, ...]] = {}
    for each in way.fields:
        there = leaves(each, theirs.get(each, ()))
        away = {fold(value) for value in withheld.get(each, ())}
        values = [
            value_of(each, path)
            for key, paths in carried.items()
            if key not in there and key not in ours
            for path in paths
        ]
        values = [value for value in values if fold(value) not in away]
        values += [value_of(each, (*tag.parents, tag.name)) for key, tag in ours.items() if key not in there]
        values = [value for value in values if value]
        if values:
            put[each] = _once(values)
    return put


def _once(values: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for value in values:
        found.setdefault(fold(value), value)
    return tuple(found.values())


def _paths(theirs: Mapping[Field, tuple[str, ...]], beside: Fields | None) -> dict[str, list[Path]]:
    """Others' tags by folded name with the paths they stand under; bare only where nobody has a path."""
    values = [(each, value) for each in Field for value in theirs.get(each, ())]
    values += others(beside) if beside else ()
    found: dict[str, list[Path]] = {}
    for each, value in values:
        if name := leaf(each, value):
            found.setdefault(fold(name), []).append(path_of(each, value))
    return {key: [path for path in paths if len(path) > 1] or paths[:1] for key, paths in found.items()}


def _joined(now: Sequence[str], theirs: Sequence[str], put: Sequence[str]) -> tuple[str, ...]:
    """A field's values in the order they stand in, new ones last."""
    wanted = {fold(value) for value in (*theirs, *put)}
    standing = {fold(value) for value in now}
    kept = [value for value in now if fold(value) in wanted]
    return (*kept, *(value for value in put if fold(value) not in standing))


def made(fields: Fields) -> Fields:
    """`fields` of a sidecar that did not exist before."""
    if fields.provenance is None:
        return fields
    return replace(fields, provenance=replace(fields.provenance, made=True))
