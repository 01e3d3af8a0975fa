"""What engines need from elsewhere, such as a model: said before it is fetched, asked where nobody chose it."""

from __future__ import annotations

from tigertag.app.context import App
from tigertag.config import CONTENT_ENGINE, Declared, Settings
from tigertag.errors import PluginDown
from tigertag.model import Engine
from tigertag.model.fetching import Fetch, Fetches

SMALL = 64_000_000
"""Bytes that are fetched without a question for an engine that nobody set up."""
_STEPS = 10
"""Lines that tell how a fetch gets on."""


class NotFetched(PluginDown):
    """An engine that runs because it is installed lacks something, and nobody has agreed to fetch it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, planned=True)


def fetch_first(app: App, declared: Declared, engine: Engine) -> None:
    """Fetches what `engine` needs before it can start, with progress.

    An engine that settings ask for is not asked about. For one that runs by default a person is, where it is
    much: a scan at night brings no surprise. Raises NotFetched, and PluginDown where it cannot be had.
    """
    if not isinstance(engine, Fetches) or engine.is_here:
        return
    is_default = declared.origin == "default"
    try:
        wanted = engine.to_fetch()
    except PluginDown as error:
        if is_default:
            raise NotFetched(f"{error} ({_off(declared)})") from error
        raise
    told = f"{wanted.what}, {amount(wanted.size)}, from {wanted.source} into {wanted.folder}"
    if is_default and wanted.size > SMALL and not app.confirm(f"{declared.id} needs {told}. Fetch it now?"):
        raise NotFetched(f"it needs {told}: `tigertag scan --yes` fetches it ({_off(declared)})")
    app.watch.say(f"{declared.id} fetches {told}; what is cut off goes on there")
    engine.fetch(_Telling(app, declared.id, wanted).more)


def lacks(declared: Declared, engine: Engine) -> str:
    """Where an engine that nobody set up would not take part before something is fetched: a sentence. Asks
    nobody.
    """
    if declared.origin != "default" or not isinstance(engine, Fetches) or engine.is_here:
        return ""
    return f"{declared.id} would say first what it must fetch ({_off(declared)})"


def _off(declared: Declared) -> str:
    return f"ENGINE_{declared.id.upper()}_ENABLED=false does without"


def content_offered(settings: Settings) -> list[str]:
    """Where the usual engines look, and the one for what photos show is not installed: how to get it."""
    if any(each.id == CONTENT_ENGINE or each.origin != "default" for each in settings.engines):
        return []
    what = "Tags for what photos show (dog, beach, birthday cake), by a model on this computer"
    return [f"{what}: pip install 'tigertag[{CONTENT_ENGINE}]'"]


def amount(size: int) -> str:
    """`606 MB`, `3 kB`."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{-(-size // 1000)} kB"


class _Telling:
    """A line for every tenth; for a little nothing."""

    def __init__(self, app: App, name: str, wanted: Fetch) -> None:
        self._app, self._name, self._wanted = app, name, wanted
        self._done = self._step = 0

    def more(self, size: int) -> None:
        """Also ends it at a signal: what is here stays. Raises Stopped."""
        self._app.raise_if_stopped()
        self._done += size
        step = min(_STEPS, self._done * _STEPS // max(1, self._wanted.size))
        if self._wanted.size > SMALL and step > self._step:
            self._step = step
            done = f"{amount(min(self._done, self._wanted.size))} of {amount(self._wanted.size)}"
            self._app.watch.say(f"{self._name}: {done} fetched")
