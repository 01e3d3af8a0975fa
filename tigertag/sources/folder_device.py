"""Which disk a folder lies on, so that an empty mount point is not taken for the library that was there."""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tigertag.model import JSON

_SAMPLED = 32

# File systems whose inode numbers stay with the file. Those of network shares, FAT and FUSE may be made up anew
# at each mount.
_LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "tmpfs", "overlay"}
)


def device_of(root: Path) -> str:
    """A name for the file system, in hex: the id it gives itself, else its device number.

    The id of ext4, btrfs, ZFS and NTFS comes from the disk and survives a reboot; a number may not, which
    `Library` makes up for. Raises OSError.
    """
    number: int = getattr(os.statvfs(root), "f_fsid", 0) if hasattr(os, "statvfs") else 0
    return f"{(number or root.stat().st_dev) & 0xFFFF_FFFF_FFFF_FFFF:x}"


def local_devices(mounts: Path = Path("/proc/self/mountinfo")) -> frozenset[int]:
    """Device numbers of file systems with inodes to rely on; none where the system does not tell."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # not Linux: the inode is left out
        return frozenset()
    found = set()
    for line in lines:
        # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw (proc(5))
        before, _, after = line.partition(" - ")
        if after.partition(" ")[0] in _LOCAL:
            major, _, minor = before.split(" ")[2].partition(":")
            found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Library:
    """What is remembered of a root: the device it was first seen on, and some of its files with their sizes."""

    device: str
    sample: dict[str, int]

    @classmethod
    def of(cls, device: str, sizes: Iterable[tuple[str, int]]) -> Self:
        """The sample is the same for the same files, and hardly moves when some come or go."""
        chosen = heapq.nsmallest(_SAMPLED, sizes, key=lambda one: hashlib.sha1(one[0].encode()).digest())
        return cls(device, dict(sorted(chosen)))

    @classmethod
    def from_json(cls, value: JSON) -> Self | None:
        """None for anything but what `to_json` gave."""
        if not isinstance(value, dict) or not isinstance(value.get("sample"), dict):
            return None
        sample = {str(key): size for key, size in value["sample"].items() if isinstance(size, int)}
        return cls(str(value.get("device", "")), sample)

    def to_json(self) -> JSON:
        return {"device": self.device, "sample": self.sample}

    def is_here(self, size_of: Callable[[str], int | None]) -> bool:
        """Whether at least half of the sample is there, under whatever device number."""
        if not self.sample:
            return False
        there = sum(size_of(key) == size for key, size in self.sample.items())
        return 2 * there >= len(self.sample)
