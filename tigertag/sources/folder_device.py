"""Which disk a folder lies on, so that an empty mount point is not taken for the library that was there."""

from __future__ import annotations

import os
from pathlib import Path

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
