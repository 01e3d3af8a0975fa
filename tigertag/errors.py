"""What can go wrong, by what to do about it.

Every error here reads as one line: what failed, on what, why, and what to do next. Foreign exceptions become
one of these once, in the plugin that met them. `exit_code` is the code of a run that met the error and
nothing worse; the codes are a public interface, listed in docs/troubleshooting.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tigertag.model import Item, Photo

# Of several codes the first of these is returned. 7 stands alone: a run that may not start has no other fault.
_GRAVEST_FIRST = (1, 130, 143, 2, 6, 8, 9, 5, 4, 3)


def gravest(codes: Iterable[int]) -> int:
    """The exit code that stands for all of `codes`; 0 for none."""
    found = set(codes)
    return next((code for code in _GRAVEST_FIRST if code in found), 0)


class TigerTagError(Exception):
    """The root of all errors that are a person's or a service's business, not a fault in TigerTag."""

    exit_code: int = 1

    def __reduce__(self) -> tuple[Callable[..., TigerTagError], tuple[object, ...]]:
        """Pickled as it is: a worker's errors come from another process."""
        return _remade, (type(self), self.args, self.__dict__)


def _remade(
    kind: type[TigerTagError], args: tuple[object, ...], attributes: dict[str, object]
) -> TigerTagError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(TigerTagError):
    """The user must fix something; nothing starts. `faults` holds one sentence for each."""

    exit_code = 2

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class PhotoError(TigerTagError):
    """This photo with this engine, or this file at all: recorded, not tried again by itself.

    An engine names the photo it is about; what opens a file leaves `photo` out.
    """

    exit_code = 3

    def __init__(self, reason: str, photo: Photo | None = None, raw: str = "") -> None:
        super().__init__(reason)
        self.photo = photo
        self.raw = raw
        """The service's answer where it could not be read: at most 64 KiB, redacted."""


class MissingDecoder(TigerTagError):
    """No decoder for this kind of picture is installed: the item waits as *needs tigertag[extra]*."""

    exit_code = 0

    def __init__(self, extra: str) -> None:
        super().__init__(f"needs tigertag[{extra}]")
        self.extra = extra


class TransientError(TigerTagError):
    """It may pass: the row waits for the next run, after the plugin's own tries.

    `photo` says which photo of a batch it is about, none that it is about all of them.
    """

    exit_code = 3

    def __init__(self, reason: str, photo: Photo | None = None) -> None:
        super().__init__(reason)
        self.photo = photo


class WorkerLost(TransientError):
    """The process or machine that a photo was given to ended in the middle of it; the reason says how."""


class PluginDown(TigerTagError):
    """Bad key, quota, budget, unreachable: the plugin is put aside, the others go on, its rows wait.

    `planned` marks a stop that was reckoned with (quota, budget): its exit code is 0, what waits is shown.
    `until` is when it may go on, in the service's words ("1 December"), empty where unknown.
    """

    exit_code = 4

    def __init__(self, reason: str, *, planned: bool = False, until: str = "") -> None:
        super().__init__(reason)
        self.planned = planned
        self.until = until


class WorkersGone(PluginDown):
    """Nobody is left who could decode a picture: what is under way is finished, the rest waits."""


class ItemError(TigerTagError):
    """A target could not read or write this item; the delivery stays pending if `again`, else it failed.

    `shown` are its tags where some of the change may have been done before it failed for good.
    """

    exit_code = 3

    def __init__(
        self, reason: str, item: Item, *, again: bool = True, shown: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(reason)
        self.item = item
        self.again = again
        self.shown = shown


class ItemGone(ItemError):
    """The item is no longer there: nothing to write, nothing lost (RELIABILITY P10)."""

    exit_code = 0


class Unreachable(PluginDown):
    """A source or target does not answer, or answered nonsense."""

    exit_code = 5


class Incomplete(Unreachable):
    """A listing that did not add up: what it did not show is unknown, not gone (RELIABILITY P8)."""

    exit_code = 3


class Unread(PluginDown):
    """Nobody reads any more what a target prints: it is put aside until the next run (RELIABILITY R7)."""

    exit_code = 3


class DiskFull(PluginDown):
    """No room is left where a target writes: it is put aside, since the next item would not fit either."""

    exit_code = 8


class StoreError(TigerTagError):
    """The database: away, malformed, older or newer than this program."""

    exit_code = 6


class LockHeld(TigerTagError):
    """Another run is under way on the same database."""

    exit_code = 7


class DiskError(TigerTagError):
    """No room, no permission, a read-only folder."""

    exit_code = 8


class Refused(TigerTagError):
    """Refused for safety: a person must look and say how to go on."""

    exit_code = 9


class Stopped(TigerTagError):
    """A signal asked for an end; what was paid for is stored."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("stopped")
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
