"""Settings that are wrong, each with the words that name it (C1, C2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.store.rows import snapshot
from tests.torture.shelf import Ran, Shelf
from tests.torture.trial import Cell, Trial, missed

BOUNDARY = "configuration"


@dataclass(frozen=True)
class Fault:
    """A `.env`, and what each of the lines on standard error says."""

    name: str
    text: str | bytes
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


_LOOKER = "ENGINE_LOOKER_NAME=tests.torture.looker.Looker\n"
_IMAGGA = "ENGINE_IMAGGA_API_KEY=k\nENGINE_IMAGGA_API_SECRET=s\n"
FAULTS = (
    Fault(
        "wrong name",
        _LOOKER + "ENGINE_LOOKER_PREFX=x",
        (r"Unknown setting `ENGINE_LOOKER_PREFX` \(did you mean `ENGINE_LOOKER_PREFIX`\?\), .* line 2",),
    ),
    Fault(
        "wrong name of ours", "PLEX_TOKN=x", (r"Unknown setting `PLEX_TOKN` \(did you mean `PLEX_TOKEN`\?\)",)
    ),
    Fault("wrong name in the environment", "", (r"Unknown setting `PLEX_TOKN`",), {"PLEX_TOKN": "x"}),
    Fault("unknown plugin", "ENGINE_X_NAME=imaga", (r"`ENGINE_X_NAME` .*`?imagga",)),
    Fault("plugin that cannot be imported", "ENGINE_X_NAME=no.such.Engine", (r"`ENGINE_X_NAME`.*no\.such",)),
    Fault(
        "wrong type",
        _LOOKER + "ENGINE_LOOKER_CONCURRENCY=many",
        (r"`ENGINE_LOOKER_CONCURRENCY` \(.* line 2\) must be a whole number",),
    ),
    Fault(
        "out of range",
        _LOOKER + "ENGINE_LOOKER_MIN_CONFIDENCE=400",
        (r"`ENGINE_LOOKER_MIN_CONFIDENCE` .* from 0 to 100",),
    ),
    Fault(
        "not a number",
        _LOOKER + "ENGINE_LOOKER_MIN_CONFIDENCE=nan",
        (r"`ENGINE_LOOKER_MIN_CONFIDENCE` .* must be",),
    ),
    Fault(
        "not true or false",
        _LOOKER + "ENGINE_LOOKER_ENABLED=perhaps",
        (r"`ENGINE_LOOKER_ENABLED` .* must be true or false",),
    ),
    Fault(
        "not one of several",
        _LOOKER + "ENGINE_LOOKER_ORDER=random",
        (r"`ENGINE_LOOKER_ORDER` .* newest, oldest, path",),
    ),
    Fault("rate", _LOOKER + "ENGINE_LOOKER_RATE=fast", (r"`ENGINE_LOOKER_RATE` .*5/s",)),
    Fault("hours", _LOOKER + "ENGINE_LOOKER_HOURS=22-22", (r"`ENGINE_LOOKER_HOURS`",)),
    Fault("missing variable", "ENGINE_IMAGGA_API_KEY=k", (r"`ENGINE_IMAGGA_API_SECRET` is missing",)),
    Fault("missing token", "PLEX_URL=http://127.0.0.1:1", (r"`PLEX_TOKEN` is missing",)),
    Fault("bad URL", "PLEX_URL=nas\nPLEX_TOKEN=zq7Xw9", (r"`PLEX_URL` \(.* line 1\):? .*http",)),
    Fault("URL without a host", "PLEX_URL=http://\nPLEX_TOKEN=zq7Xw9", (r"`PLEX_URL` \(.* line 1\)",)),
    Fault("URL with a bad port", "PLEX_URL=http://nas:port\nPLEX_TOKEN=zq7Xw9", (r"`PLEX_URL` \(.* line 1\)",)),
    Fault("bad database URL", "DB_URL=nonsense", (r"`DB_URL` \(.* line 1\) must be a database URL",)),
    Fault("database of an unknown kind", "DB_URL=oracle://host/x", (r"`DB_URL` \(.* line 1\)",)),
    Fault(
        "absent file",
        "VOCABULARY=/not/there.yaml",
        (r"`VOCABULARY` \(.* line 1\) must be a file, and there is none",),
    ),
    Fault(
        "absent secret file",
        "PLEX_URL=http://nas\nPLEX_TOKEN_FILE=/not/there",
        (r"`PLEX_TOKEN_FILE` \(.* line 2\) must name a file that can be read",),
    ),
    Fault("absent env file", b"", (r"TIGERTAG_ENV_FILE.*no such file",), {"TIGERTAG_ENV_FILE": "/not/there"}),
    Fault(
        "UTF-16",
        "PLEX_URL=http://nas\n".encode("utf-16"),
        (r"line 1 is not UTF-8 text: save the file as UTF-8",),
    ),
    Fault("UTF-16 without a mark", "PLEX_URL=http://nas\n".encode("utf-16-le"), (r"line 1 is not UTF-8 text",)),
    Fault("Latin-1", "# ok\nENGINE_X_PREFIX=gr\xfcn\n".encode("latin-1"), (r"line 2 is not UTF-8 text",)),
    Fault("NUL", b"# ok\nPLEX_TOKEN=a\0b\n", (r"line 2 is not UTF-8 text",)),
    Fault(
        "line without a name", "# ok\nthis is no setting\n", (r"line 2 cannot be read: NAME=value is expected",)
    ),
    Fault("a quote that does not end", "PLEX_TOKEN='abc\n", (r"line 1 cannot be read",)),
    Fault(
        "two engines with one prefix",
        _LOOKER + "ENGINE_LOOKER_PREFIX=a\nENGINE_B_NAME=metadata\nENGINE_B_PREFIX=A\n",
        (r"ENGINE_LOOKER_PREFIX.*ENGINE_B_PREFIX|ENGINE_B_PREFIX.*ENGINE_LOOKER_PREFIX",),
    ),
    Fault(
        "all at once",
        _LOOKER
        + _IMAGGA
        + "PLEX_TOKN=x\nDB_URL=nonsense\nENGINE_LOOKER_CONCURRENCY=0\nVOCABULARY=/not/there\n",
        (r"PLEX_TOKN", r"`DB_URL`", r"`ENGINE_LOOKER_CONCURRENCY`", r"`VOCABULARY`"),
    ),
)
# `status` is not among them: it reads the database only, and leaves to others what plugins must judge.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "scan": ("scan",),
    "write": ("write",),
    "undo": ("undo", "--last"),
    "check": ("check",),
    "config": ("config",),
}
_SECRETS = ("abc", "API_SECRET=s")


def faults(shelf: Shelf, full: bool) -> Iterator[Trial]:
    """Each fault is a line that names variable, place and what is expected; nothing starts."""
    commands = list(COMMANDS) if full else ["scan"]
    for fault in FAULTS if full else FAULTS[::5]:
        for command in commands:
            before = snapshot(shelf.home)
            ran = ask(shelf, fault.text, *COMMANDS[command], env=fault.env)
            missing = [
                words for words in fault.words if not any(re.search(words, line) for line in ran.complaints)
            ]
            changed = "something was started" if snapshot(shelf.home) != before or shelf.left() else None
            misses = missed(
                hung=ran.hung,
                exit=None if ran.code == 2 else f"{ran.code} for 2: {ran.err[:200]}",
                words=ran.wrong_words() or (f"nothing like {missing}: {ran.err[:300]}" if missing else None),
                lost=changed,
                leaked="a secret" if any(secret in ran.err + ran.out for secret in _SECRETS) else None,
            )
            yield Trial(Cell(BOUNDARY, fault.name, command), misses=misses)


def ask(shelf: Shelf, text: str | bytes, *arguments: str, env: Mapping[str, str]) -> Ran:
    """A run over settings as they stand in a file of the current folder."""
    path = shelf.folder / ".env"
    if text:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
    shelf.env |= env
    try:
        return shelf.run(*arguments, settled=False)
    finally:
        path.unlink(missing_ok=True)
        for name in env:
            del shelf.env[name]
