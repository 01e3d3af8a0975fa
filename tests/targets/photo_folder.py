"""Photos in a folder, tags kept beside or inside them, and an owner who edits them in other programs, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tests.pictures import jpeg_bytes
from tigertag.contract.stand_ins import FakeMemory
from tigertag.errors import ItemError
from tigertag.model import Change, Item
from tigertag.targets.xmp import XmpOptions, XmpTarget
from tigertag.xmp.fields import Field, Fields
from tigertag.xmp.fields import shown as shown_in
from tigertag.xmp.packet import Packet

PICTURE = jpeg_bytes(1, size=(64, 48))


class Folder:
    """Photos in a folder, and the sidecars beside them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def item(self, name: str, tags: Sequence[str] = (), ending: str = ".jpg") -> Item:
        photo = self.path / f"{name}{ending}"
        photo.write_bytes(PICTURE)
        if tags:
            self.hand_writes(self.sidecar(name, ending), {Field.SUBJECT: tuple(tags)})
        return self.listed(photo)

    def listed(self, photo: Path) -> Item:
        status = photo.stat()
        stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        return Item(f"folder:1:{self.path}", photo.name, photo.name, stamp, size=status.st_size)

    def sidecar(self, name: str, ending: str = ".jpg") -> Path:
        return self.path / f"{name}{ending}.xmp"

    def hand_writes(
        self, sidecar: Path, values: dict[Field, tuple[str, ...]], caption: str | None = None
    ) -> None:
        """What a program of the user leaves in a sidecar: these fields, all else as it was."""
        packet = Packet.parse(sidecar.read_bytes()) if sidecar.exists() else Packet.new()
        now = packet.fields()
        after = {**now.values, **values}
        kept = {each: found for each, found in after.items() if found}
        packet.apply(Fields(kept, now.caption if caption is None else caption, now.provenance))
        sidecar.write_bytes(packet.to_bytes())

    def fields(self, item: Item) -> Fields:
        path = self.path / f"{item.key}.xmp"
        return Packet.parse(path.read_bytes()).fields() if path.exists() else Fields()

    def tags(self, item: Item) -> Sequence[str]:
        return shown_in(self.fields(item))

    def target(self, **options: Any) -> XmpTarget:
        return XmpTarget(XmpOptions.model_validate(options), FakeMemory())


class Inside(Folder):
    """Photos that hold their tags themselves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.memory = FakeMemory()
        self.targets: list[XmpTarget] = []

    def item(self, name: str, tags: Sequence[str] = (), ending: str = ".jpg") -> Item:
        photo = self.path / f"{name}{ending}"
        photo.write_bytes(jpeg_bytes(1, size=(64, 48), keywords=tags))
        return self.listed(photo)

    def fields(self, item: Item) -> Fields:
        with Image.open(self.path / item.key) as picture:
            packet = picture.info.get("xmp")
        return Packet.parse(packet).fields() if packet else Fields()

    def target(self, **options: Any) -> XmpTarget:
        made = XmpTarget(XmpOptions.model_validate({"mode": "embedded", **options}), self.memory)
        self.targets.append(made)
        return made

    def close(self) -> None:
        for target in self.targets:
            target.close()


def problem(target: XmpTarget, item: Item, *names: str) -> ItemError:
    (outcome,) = target.write([Change(item, add=names or ("dog",))])
    assert isinstance(outcome, ItemError), outcome
    return outcome


def listing(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}
