"""Provenance as flat properties of our namespace, the same in a sidecar and in a picture file. Pure.

Every property is an `rdf:Bag` of texts: `tigertag:Tags` (our tags), `tigertag:Engines` (`imagga=dog`),
`tigertag:Put` and `tigertag:Withheld` (`dc:subject=dog`), `tigertag:Embedded`, `tigertag:Caption`,
`tigertag:Program` and `tigertag:Made`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tigertag.xmp.fields import Field, Provenance

TAGS, ENGINES, PUT, WITHHELD, EMBEDDED = "Tags", "Engines", "Put", "Withheld", "Embedded"
CAPTION, PROGRAM, MADE = "Caption", "Program", "Made"

PROPERTIES = (TAGS, ENGINES, PUT, WITHHELD, EMBEDDED, CAPTION, PROGRAM, MADE)


def to_properties(provenance: Provenance | None) -> dict[str, tuple[str, ...]]:
    """Local names → values; what is empty is left out. Nothing for None."""
    if provenance is None:
        return {}
    every = {
        TAGS: tuple(provenance.tags),
        ENGINES: tuple(f"{engine}={name}" for name, said in provenance.tags.items() for engine in said),
        PUT: tuple(_joined(provenance.put)),
        WITHHELD: tuple(_joined(provenance.withheld)),
        EMBEDDED: provenance.embedded,
        CAPTION: (provenance.caption,) if provenance.caption else (),
        PROGRAM: (provenance.program,) if provenance.program else (),
        MADE: ("True",) if provenance.made else (),
    }
    return {name: values for name, values in every.items() if values}


def from_properties(properties: Mapping[str, Iterable[str]]) -> Provenance | None:
    """None where nothing of ours is there. What cannot be understood (a newer TigerTag) is left out."""
    every = {name: tuple(properties.get(name, ())) for name in PROPERTIES}
    if not any(every.values()):
        return None
    engines: dict[str, list[str]] = {name: [] for name in every[TAGS]}
    for pair in every[ENGINES]:
        engine, _, name = pair.partition("=")
        if name in engines:
            engines[name].append(engine)
    return Provenance(
        {name: tuple(said) for name, said in engines.items()},
        _parted(every[PUT]),
        _parted(every[WITHHELD]),
        every[EMBEDDED],
        next(iter(every[CAPTION]), ""),
        next(iter(every[PROGRAM]), ""),
        bool(every[MADE]),
    )


def _joined(values: Mapping[Field, tuple[str, ...]]) -> Iterator[str]:
    return (f"{each.value}={value}" for each in Field for value in values.get(each, ()))


def _parted(pairs: Iterable[str]) -> dict[Field, tuple[str, ...]]:
    found: dict[Field, tuple[str, ...]] = {}
    known = {each.value: each for each in Field}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name in known:
            found[known[name]] = (*found.get(known[name], ()), value)
    return found
