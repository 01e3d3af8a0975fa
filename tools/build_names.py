"""Makes the names of regions and great cities in other languages: `python tools/build_names.py FOLDER`.

FOLDER holds, as they are published (what they contain, and its licence, is in tigertag/atlas/data/NOTICE.md):

    cldr-8.0.0.tgz                 names of subdivisions, of CLDR 48
    cldr-dates-full-48.2.0.tgz     names of the cities that time zones are called by

Run after build_atlas.py, whose towns and regions are named here. The same input gives the same bytes.
"""

from __future__ import annotations

import difflib
import html
import json
import re
import sys
import tarfile
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from tigertag.atlas.towns import towns

DATA = Path(__file__).parents[1] / "tigertag" / "atlas" / "data"

Names: TypeAlias = dict[str, dict[str, str]]
"""Language → key → name."""

GENERIC = re.compile(
    r"\b(autonomous|canton|capital|city|community|council|county|department|district|division|emirate|governorate"
    r"|krai|kraj|kray|metropolitan|municipality|oblast|of|parish|prefecture|province|region|republic|special"
    r"|state|territory|the|voivodeship)\b",
    re.I,
)
OTHERS = {("MG", "Atsinanana")}
"""Regions that another one is only spelled like."""
SAME = {
    ("BA", "Federation of B&H"): "babih",
    ("BA", "Srpska"): "basrp",
    ("CZ", "Central Bohemia"): "cz20",
    ("CZ", "South Moravian"): "cz64",
    ("DK", "Central Jutland"): "dk82",
    ("FR", "Normandy"): "frnor",
    ("PL", "Podlasie"): "plpd",
    ("RU", "Kuzbass"): "rukem",
    ("RU", "Primorye"): "rupri",
    ("RU", "Zabaykalskiy (Transbaikal) Kray"): "ruzab",
    ("UA", "Transcarpathia"): "ua21",
}
"""And those whose names are not alike."""
SIDES = re.compile(r"north|south|east|west|upper|lower|central|\d", re.I)


def plain(name: str) -> str:
    """Letters and digits alone, without accents."""
    split = unicodedata.normalize("NFD", name.casefold())
    return re.sub(r"[\W_]", "", "".join(sign for sign in split if not unicodedata.combining(sign)))


def bare(name: str) -> str:
    """Without what kind of region it is."""
    return plain(GENERIC.sub(" ", name)) or plain(name)


def members(archive: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """What `pattern` captures of the name, and the content, in the order of names."""
    with tarfile.open(archive) as opened:
        for one in sorted(opened.getmembers(), key=lambda each: each.name):
            found, file = re.fullmatch(pattern, one.name), opened.extractfile(one)
            if found and file:
                yield found[1].replace("_", "-"), file.read().decode()


def subdivisions(archive: Path) -> Names:
    line = re.compile(r'<subdivision type="(\w+)"[^>]*>([^<]+)</subdivision>')
    files = members(archive, r"package/3rdparty/cldr/common/subdivisions/(\w+)\.xml")
    found = {
        language: {code: html.unescape(name) for code, name in line.findall(text)} for language, text in files
    }
    return {language: names for language, names in found.items() if names and language != "root"}


def codes(areas: list[tuple[str, str]], names: Names) -> dict[tuple[str, str], str]:
    """(country, our name of the region) → code: by the English names, then any language's, then nearly so."""
    found = {area: code for area, code in SAME.items() if area in areas and code in names["en"]}
    spelled: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    english: dict[str, dict[str, str]] = defaultdict(dict)
    for language, by_code in names.items():
        for code, name in by_code.items():
            spelled[code[:2].upper()][bare(name)].add(code)
            if language == "en":
                english[code[:2].upper()].setdefault(bare(name), code)
    for code, name in names["en"].items():
        english[code[:2].upper()][plain(name)] = code
    for country, name in areas:
        if (country, name) in found:
            continue
        code = english[country].get(plain(name)) or english[country].get(bare(name), "")
        others = spelled[country].get(bare(name), set())
        if code or len(others) == 1:
            found[country, name] = code or min(others)
    taken = {(country, code) for (country, _), code in found.items()}
    for country, name in areas:
        if (country, name) in found or (country, name) in OTHERS:
            continue
        free = {key: code for key, code in english[country].items() if (country, code) not in taken}
        near = difflib.get_close_matches(bare(name), free, n=1, cutoff=0.84)
        if near and SIDES.findall(near[0]) == SIDES.findall(bare(name)):
            found[country, name] = free[near[0]]
            print(f"nearly: {country} {name} is {names['en'][free[near[0]]]}")
    return found


def tidy(name: str, ours: str) -> str:
    """Without what tells it from another place; ours, where only what kind of region it is was added."""
    short = re.sub(r"\s*[(（][^)）]*[)）]|[¹²³]", "", name).strip()
    words = [plain(word) for word in re.split(r"[\s-]+", short)]
    mine = [plain(word) for word in re.split(r"[\s-]+", ours)]
    added = any(words[at : at + len(mine)] == mine for at in range(len(words)))
    return ours if added else short


def regions(archive: Path, areas: list[tuple[str, str]]) -> Names:
    names = subdivisions(archive)
    known = codes(areas, names)
    print(f"{len(known)} of {len(areas)} regions are known")
    return {
        language: {
            f"{country}|{ours}": tidy(by_code[code], ours)
            for (country, ours), code in sorted(known.items())
            if code in by_code and tidy(by_code[code], ours) != ours
        }
        for language, by_code in names.items()
        if language != "en"
    }


def cities(archive: Path, known: set[tuple[str, str]]) -> Names:
    """Of those whose English name is that of a town in their zone."""
    found: Names = {}
    for language, text in members(archive, r"package/main/([^/]+)/timeZoneNames\.json"):
        listed = json.loads(text)["main"][language]["dates"]["timeZoneNames"]["zone"]
        found[language] = {
            f"{area}/{zone}": names["exemplarCity"]
            for area, within in listed.items()
            for zone, names in within.items()
            if isinstance(names, dict) and "exemplarCity" in names
        }
    zones = sorted({zone for names in found.values() for zone in names})
    english = {zone: found["en"].get(zone) or zone.rpartition("/")[2].replace("_", " ") for zone in zones}
    meant = {zone: city for zone, city in english.items() if (zone, city) in known}
    print(f"{len(meant)} great cities")
    return {
        language: {
            f"{zone}|{city}": names[zone]
            for zone, city in sorted(meant.items())
            if names.get(zone) and names[zone] != city
        }
        for language, names in found.items()
        if language != "en"
    }


def main(folder: Path) -> None:
    areas, known = towns().areas(), towns().zoned_names()
    named = regions(folder / "cldr-8.0.0.tgz", areas)
    for language, names in cities(folder / "cldr-dates-full-48.2.0.tgz", known).items():
        if language in named or len(names) > 20:
            named.setdefault(language, {}).update(names)
    named = {language: names for language, names in named.items() if names}
    for language in sorted(named, reverse=True):  # a regional form keeps what differs from its language's
        general, _, last = language.rpartition("-")
        parent = {} if len(last) == 4 else named.get(general, {})  # another script is no form of the same
        named[language] = {key: name for key, name in named[language].items() if parent.get(key) != name}
    keys = sorted({key for names in named.values() for key in names})
    at = {key: place for place, key in enumerate(keys)}
    contents: dict[str, object] = {"": keys}
    contents |= {
        language: {str(at[key]): name for key, name in sorted(names.items())}
        for language, names in sorted(named.items())
        if names
    }
    packed = {
        language: zlib.compress(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        for language, one in contents.items()
    }
    head = zlib.compress(json.dumps({language: len(one) for language, one in packed.items()}).encode(), 9)
    content = len(head).to_bytes(4, "little") + head + b"".join(packed.values())
    (DATA / "names.bin").write_bytes(content)
    print(f"names.bin: {len(content):,} bytes, {len(packed) - 1} languages, {len(keys)} places")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
