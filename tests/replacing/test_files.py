"""A file that is replaced: whole, with its rights, or as it was (RELIABILITY M1, M2, M7 to M12, I9)."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.replacing.bytes import NEW, OLD, names
from tigertag.errors import DiskError, PhotoError, TigerTagError, TransientError
from tigertag.replacing import create, holding, remove, replace

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_new_bytes_are_there_and_nothing_else(photo: Path) -> None:
    assert replace(photo, holding(NEW), was=sha(OLD)) == sha(NEW)
    assert (photo.read_bytes(), names(photo.parent)) == (NEW, {"x.jpg"})


def test_mode_and_times_stay(photo: Path) -> None:
    photo.chmod(0o640)
    os.utime(photo, ns=(1_000_000_001, 1_500_000_000_123_456_789))
    replace(photo, holding(NEW))
    status = photo.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, 1_500_000_000_123_456_789)


def test_the_time_moves_where_that_is_wanted(photo: Path) -> None:
    os.utime(photo, (1_000_000, 1_000_000))
    replace(photo, holding(NEW), keep_times=False)
    assert photo.stat().st_mtime > 1_600_000_000


@needs_root
def test_the_owner_stays(photo: Path) -> None:
    os.chown(photo, 12345, 54321)
    photo.chmod(0o4750)
    replace(photo, holding(NEW))
    status = photo.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 54321, 0o4750)


def test_an_owner_that_cannot_be_kept_is_a_reason_to_refuse(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_not_give_away(monkeypatch)
    with as_if_owned_by_another(monkeypatch), pytest.raises(PhotoError, match=r"x\.jpg: its owner .* cannot"):
        replace(photo, holding(NEW))
    assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})


def test_an_owner_may_be_lost_where_that_is_allowed(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_not_give_away(monkeypatch)
    with as_if_owned_by_another(monkeypatch):
        replace(photo, holding(NEW), keep_owner=False)
    assert photo.read_bytes() == NEW


def may_not_give_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, user: int, group: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)


@contextmanager
def as_if_owned_by_another(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Unfinished files seem to belong to somebody else than the photo does."""
    ask = Path.stat

    def stat_of(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = ask(path, follow_symlinks=follow_symlinks)
        if path.suffix != ".tmp":
            return status
        return os.stat_result((*status[:4], status.st_uid + 1, *status[5:]))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", stat_of)
        yield


def with_attribute(path: Path, name: str, value: bytes) -> None:
    if not hasattr(os, "setxattr"):
        pytest.skip("no extended attributes here")
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"no extended attributes here ({error})")


def test_extended_attributes_stay(photo: Path) -> None:
    with_attribute(photo, "user.colour", b"red")
    replace(photo, holding(NEW))
    assert os.getxattr(photo, "user.colour") == b"red"


# acl(5) as Linux keeps it: version 2; owner rw, user 1234 r, group r, mask r, others none.
ACCESS_LIST = bytes.fromhex("02000000 01000600ffffffff 02000400d2040000 04000400ffffffff 10000400ffffffff") + (
    bytes.fromhex("20000000ffffffff")
)


def test_an_access_list_stays(photo: Path) -> None:
    with_attribute(photo, "system.posix_acl_access", ACCESS_LIST)
    replace(photo, holding(NEW))
    assert os.getxattr(photo, "system.posix_acl_access") == ACCESS_LIST


def test_the_access_list_of_the_folder_is_not_put_on_the_photo(photo: Path) -> None:
    with_attribute(photo.parent, "system.posix_acl_default", ACCESS_LIST)
    replace(photo, holding(NEW))
    assert "system.posix_acl_access" not in os.listxattr(photo)


def test_an_attribute_that_cannot_be_kept_is_a_reason_to_refuse(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_attribute(photo, "user.colour", b"red")

    def refused(path: Path, name: str, value: bytes) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refused)
    with pytest.raises(PhotoError, match=r"user\.colour cannot be kept"):
        replace(photo, holding(NEW))
    assert photo.read_bytes() == OLD


def test_a_file_that_fails_its_check_is_thrown_away(photo: Path) -> None:
    def check(made: Path) -> None:
        assert made.read_bytes() == NEW
        raise PhotoError("Refused to write x.jpg: check failed (pixels)")

    with pytest.raises(PhotoError, match="check failed"):
        replace(photo, holding(NEW), check)
    assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})


def test_what_the_file_will_be_is_told_before_it_is(photo: Path) -> None:
    told: list[tuple[str, bytes]] = []
    replace(photo, holding(NEW), announce=lambda sha256: told.append((sha256, photo.read_bytes())))
    assert told == [(sha(NEW), OLD)]


def edited(photo: Path) -> None:
    photo.write_bytes(b"OLD " * 5000)


def edited_in_secret(photo: Path) -> None:
    """Same size, same times: only the bytes tell."""
    before = photo.stat()
    edited(photo)
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))


def saved_anew(photo: Path) -> None:
    other = photo.with_name("other")
    other.write_bytes(OLD)
    other.replace(photo)


def opened_to_others(photo: Path) -> None:
    photo.chmod(0o606)


def removed(photo: Path) -> None:
    photo.unlink()


def turned_into_a_link(photo: Path) -> None:
    photo.rename(photo.with_name("away.jpg"))
    photo.symlink_to("away.jpg")


@pytest.mark.parametrize("edit", [edited, edited_in_secret, saved_anew, opened_to_others, removed])
def test_what_another_program_does_meanwhile_stays(photo: Path, edit: Callable[[Path], None]) -> None:
    with pytest.raises(TransientError, match=r"x\.jpg (was changed|is not there)"):
        replace(photo, holding(NEW), lambda made: edit(photo), name="x.jpg")
    assert not photo.exists() or photo.read_bytes() in (OLD, b"OLD " * 5000)
    assert not any(name.endswith(".tmp") for name in names(photo.parent))


def test_a_photo_that_turns_into_a_link_meanwhile_stays_one(photo: Path) -> None:
    with pytest.raises(TransientError):
        replace(photo, holding(NEW), lambda made: turned_into_a_link(photo))
    assert photo.is_symlink()
    assert photo.read_bytes() == OLD


def test_other_bytes_than_those_that_were_read_are_left(photo: Path) -> None:
    with pytest.raises(TransientError, match="changed by another program"):
        replace(photo, holding(NEW), was=sha(b"what was read"))
    assert photo.read_bytes() == OLD


def test_a_link_stays_a_link(photo: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "link.jpg").symlink_to(photo)
    replace(album / "link.jpg", holding(NEW))
    assert (album / "link.jpg").is_symlink()
    assert (photo.read_bytes(), names(album)) == (NEW, {"link.jpg"})


def test_hard_links_are_not_cut(photo: Path) -> None:
    photo.with_name("y.jpg").hardlink_to(photo)
    with pytest.raises(PhotoError, match="2 hard links"):
        replace(photo, holding(NEW))
    assert photo.stat().st_ino == photo.with_name("y.jpg").stat().st_ino


def test_a_read_only_file_stays_so(photo: Path) -> None:
    photo.chmod(0o444)
    with pytest.raises(PhotoError, match="read-only"):
        replace(photo, holding(NEW))
    assert (photo.read_bytes(), stat.S_IMODE(photo.stat().st_mode)) == (OLD, 0o444)


def test_a_read_only_folder_stays_so(photo: Path) -> None:
    photo.parent.chmod(0o555)
    try:
        with pytest.raises(PhotoError, match="read-only folder"):
            replace(photo, holding(NEW))
        with pytest.raises(PhotoError, match="read-only"):
            create(photo.with_name("new.xmp"), holding(NEW), like=photo)
    finally:
        photo.parent.chmod(0o755)
    assert names(photo.parent) == {"x.jpg"}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EROFS, errno.EBUSY])
def test_a_file_that_the_system_protects_stays(
    photo: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*paths: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(TigerTagError, match=r"^x\.jpg .*") as caught:
        replace(photo, holding(NEW), name="x.jpg")
    assert "\n" not in str(caught.value)
    assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})


def test_what_is_no_file_is_left(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="no file"):
        replace(tmp_path / "pipe.jpg", holding(NEW))


def test_a_full_disk_changes_nothing(photo: Path) -> None:
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) - 1, before[1]))
    try:
        with pytest.raises(DiskError, match="No room"):
            replace(photo, holding(NEW))
        with pytest.raises(DiskError, match="No room"):
            create(photo.with_name("new.xmp"), holding(NEW), like=photo)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_done(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.replace

    def forced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append("name")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", renamed)
    replace(photo, holding(NEW))
    assert done == ["file", "name", "folder"]


def test_bytes_are_never_put_where_there_is_something(photo: Path) -> None:
    with pytest.raises(FileExistsError):
        holding(NEW)(photo)
    assert photo.read_bytes() == OLD


def test_the_longest_of_names(tmp_path: Path) -> None:
    photo = tmp_path / ("x" * 251 + ".jpg")
    photo.write_bytes(OLD)
    replace(photo, holding(NEW))
    assert photo.read_bytes() == NEW


def test_the_originals_of_other_programs_are_theirs(photo: Path) -> None:
    photo.with_name("x.jpg_original").write_bytes(b"first")
    replace(photo, holding(NEW))
    assert photo.with_name("x.jpg_original").read_bytes() == b"first"


def test_a_reader_sees_the_old_bytes_or_the_new_ones(photo: Path) -> None:
    seen: set[bytes] = set()
    done = threading.Event()

    def poll() -> None:
        while not done.is_set():
            seen.add(photo.read_bytes())

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for turn in range(60):
            replace(photo, holding(OLD if turn % 2 else NEW))
    finally:
        done.set()
        reader.join()
    assert seen == {OLD, NEW}


def test_a_new_file_is_as_its_photo(photo: Path) -> None:
    photo.chmod(0o640)
    sidecar = photo.with_name("x.jpg.xmp")
    assert create(sidecar, holding(NEW), like=photo) == sha(NEW)
    assert (sidecar.read_bytes(), stat.S_IMODE(sidecar.stat().st_mode)) == (NEW, 0o640)
    assert names(photo.parent) == {"x.jpg", "x.jpg.xmp"}


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_never_takes_the_place_of_one(
    photo: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(TransientError, match="made by another program"):
        create(photo, holding(NEW), like=photo)
    assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})


def test_a_new_file_where_there_are_no_links(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    create(photo.with_name("new.xmp"), holding(NEW), like=photo)
    assert names(photo.parent) == {"x.jpg", "new.xmp"}


def no_links(*paths: Path, **more: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_only_the_bytes_that_were_read_are_removed(photo: Path) -> None:
    with pytest.raises(TransientError):
        remove(photo, was=sha(NEW))
    assert photo.exists()
    remove(photo, was=sha(OLD))
    assert names(photo.parent) == set()


@needs_root
def test_a_user_without_rights_changes_nothing() -> None:
    program = (
        "import os, sys; from pathlib import Path; from tigertag.replacing import holding, replace\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: replace(Path(sys.argv[1]), holding(b'new'))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    with TemporaryDirectory() as folder:  # a folder that others can reach
        Path(folder).chmod(0o777)
        photo = Path(folder, "x.jpg")
        photo.write_bytes(OLD)
        done = subprocess.run([sys.executable, "-c", program, photo], capture_output=True, text=True)
        assert done.stdout.startswith("PhotoError"), done.stderr
        assert "read-only" in done.stdout
        assert (photo.read_bytes(), names(photo.parent)) == (OLD, {"x.jpg"})
