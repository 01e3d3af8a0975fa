"""Whose a file is and what may be done with it: asked, and carried over to the file that replaces it."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from pathlib import Path

_OF_THE_CONTENTS = frozenset({"security.ima", "security.evm"})
"""Extended attributes that sign the bytes: on others they would be wrong, and the file unreadable."""
_COPYFILE_ACL_AND_XATTR = (1 << 0) | (1 << 2)
"""Of copyfile(3) of macOS."""


class NotKept(Exception):
    """What of a file cannot be carried over, and why, as the end of a sentence."""


def is_writable(path: Path) -> bool:
    """Whether this user may change it. Where nobody may, that holds for an administrator, too."""
    if not path.stat().st_mode & 0o222:
        return False
    mode = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def dress(draft: Path, real: Path, status: os.stat_result, *, keep_times: bool, keep_owner: bool) -> None:
    """Gives `draft` what `real` has: owner, attributes with access lists, mode, times. Raises NotKept."""
    _owner(draft, status, keep_owner)
    if sys.platform == "darwin":
        _copyfile(draft, real)
    elif hasattr(os, "listxattr"):
        _attributes(draft, real)
    draft.chmod(stat.S_IMODE(status.st_mode))
    if keep_times:
        os.utime(draft, ns=(status.st_atime_ns, status.st_mtime_ns))


def _owner(draft: Path, status: os.stat_result, keep: bool) -> None:
    now = draft.stat()
    if (now.st_uid, now.st_gid) == (status.st_uid, status.st_gid) or not hasattr(os, "chown"):
        return
    try:
        os.chown(draft, status.st_uid, status.st_gid)
    except PermissionError as error:
        if keep:
            owner = f"user {status.st_uid}, group {status.st_gid}"
            raise NotKept(
                f"its owner ({owner}) cannot be kept; run as that user, or set KEEP_OWNER=false"
            ) from error


def _attributes(draft: Path, real: Path) -> None:
    wanted, found = _all_of(real), _all_of(draft)
    for name in {**found, **wanted}:
        if found.get(name) == wanted.get(name):
            continue
        try:
            if name in wanted:
                os.setxattr(draft, name, wanted[name])
            else:  # access lists that the folder gave to the new file
                os.removexattr(draft, name)
        except OSError as error:
            raise NotKept(f"its attribute {name} cannot be kept ({error.strerror or error})") from error


def _all_of(path: Path) -> dict[str, bytes]:
    try:
        names = os.listxattr(path)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EOPNOTSUPP):
            return {}
        raise
    return {name: os.getxattr(path, name) for name in names if name not in _OF_THE_CONTENTS}


def _copyfile(draft: Path, real: Path) -> None:
    """Access lists and extended attributes, which Python cannot reach on macOS."""
    copied = ctypes.CDLL(None, use_errno=True).copyfile(
        os.fsencode(real), os.fsencode(draft), None, _COPYFILE_ACL_AND_XATTR
    )
    if copied != 0:
        raise NotKept(f"its attributes cannot be kept ({os.strerror(ctypes.get_errno())})")
