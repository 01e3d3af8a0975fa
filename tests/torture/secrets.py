"""Secrets: in nothing that the program says or leaves, whatever happens, and sent to their own service only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from tests import databases
from tests.servers.base import Answer, Fault, Request, Service
from tests.torture import secrets_more
from tests.torture.canaries import Canaries
from tests.torture.place import HOSTS, Place, Places, places
from tests.torture.secrets_looking import LOUD, PASSWORD, QUOTED, Looking, owner_of, trial_of
from tests.torture.trial import Cell, Trial, untried
from tests.torture.wire import KINDS, Bench
from tests.torture.wire_faults import wrongs
from tigertag.errors import StoreError
from tigertag.store.database import Database
from tigertag.store.tables import Base

T = TypeVar("T")

_COMMANDS: Sequence[tuple[str, ...]] = (
    ("scan",),
    ("scan", "--json"),
    ("check",),
    ("check", "--json"),
    ("config",),
    ("config", "--json"),
    ("status", "--json"),
    ("runs", "1"),
    ("runs", "1", "--json"),
    ("show", "IMG_0.jpg", "--json"),
    ("engines", "imagga"),
    ("write", "--dry-run"),
    ("undo", "--all", "--yes"),
)
_ECHOES: Mapping[str, int] = {"200": 200, "400": 400, "401": 401, "403": 403, "500": 500}


def trials(full: bool) -> Iterator[Trial]:
    """Each way in which a secret might get out."""
    with places() as made:
        yield from _commands(made, full)
        yield from _echoes(made, full)
        yield from _misconfigured(made)
        yield from secrets_more.trials(made, full)
        yield from _proxies(made)
        yield from _databases(made)
        yield _spooled(made)
        yield _arguments(made)
        yield from _wire(made, full)
    with places("OpenAI") as made:
        yield from _echoes(made, full)
        yield from _wire(made, full)


def _commands(made: Places, full: bool) -> Iterator[Trial]:
    """All goes well."""
    with made.one() as place:
        looking = Looking.at(place)
        for arguments in _COMMANDS:
            looking.run(*arguments)
            yield trial_of("commands", "none", " ".join(arguments), looking)
    if full:
        with made.one() as place:
            place.environment |= {name: place.settings.pop(name) for name in list(place.settings)}
            looking = Looking.at(place)
            for arguments in (("config",), ("config", "--json"), ("scan",)):
                looking.run(*arguments)
                yield trial_of("commands", "settings in the environment", " ".join(arguments), looking)


def _echoes(made: Places, full: bool) -> Iterator[Trial]:
    """A service sends back what it was sent, in every spelling."""
    for name, kinds in _kinds_of(made):
        for kind in kinds if full else kinds[-1:]:
            for status, number in _ECHOES.items() if full else [("200", 200), ("400", 400)]:
                with made.one() as place:
                    looking = Looking.at(place)
                    place.services[name].fail(kind, _echo(name, number, _own(name, looking)), times=99)
                    looking.run("scan")
                    yield trial_of(f"{name} {kind}", f"echo with {status}", "scan", looking)


def _kinds_of(made: Places) -> Iterator[tuple[str, Sequence[str]]]:
    """The services that are asked there, each once over all places."""
    for name, kinds in KINDS.items():
        if (name == "OpenAI") == (made.billing == "OpenAI"):
            yield name, kinds


def _own(service: str, looking: Looking) -> Canaries:
    """The secrets that a service is sent."""
    secrets = looking.canaries.secrets
    return Canaries({what: secrets[what] for what in secrets if owner_of(what) == service})


def _echo(service: str, status: int, canaries: Canaries) -> Fault:
    words = canaries.echo()
    body: object = {
        "status": {"type": "error", "text": words},
        "message": words,
        "code": 99,
        "result": {"tags": words, "billing_period_end": words},
        "subjects": words,
        "error": {"message": words, "code": words},
        "choices": [{"message": {"role": "assistant", "content": words}, "finish_reason": "stop"}],
        "data": [{"id": words}],
    }
    if service == "Plex":
        return Fault(status=status, body=f"<html>{words}</html>".encode(), content_type="text/html")
    return Fault(status=0 if status == 200 else status, body=json.dumps(body).encode())


def _misconfigured(made: Places) -> Iterator[Trial]:
    """What is wrong with a setting is said without the secret in it."""
    wrong = {
        "PLEX_URL": f"http://anna:{QUOTED}@plex.test:32400",
        "ENGINE_IMAGGA_API_URL": f"https://anna:{QUOTED}@imagga.test/v2",
        "ENGINE_COMPREFACE_API_URL": f"http://anna:{QUOTED}@faces.test",
        "DB_URL": f"oracle://anna:{QUOTED}@db.test/tigertag",
        "ENGINE_IMAGGA_API_SECRET": f"{PASSWORD} two words",
        "PLEX_TOKEN": f"{PASSWORD} two words",
        "ENGINE_COMPREFACE_API_KEY": f"{PASSWORD} two words",
        "ENGINE_IMAGGA_APIKEY": PASSWORD,
    }
    for name, value in wrong.items():
        with made.one() as place:
            place.settings[name] = value
            looking = Looking.at(place, password=PASSWORD)
            looking.run("config")
            yield trial_of("settings", f"wrong {name}", "config", looking)


class Proxy(Service):
    """A forward proxy for plain HTTP, before the services of a place."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    def answer(self, request: Request) -> Answer:
        host = request.target.split("/")[2].partition(":")[0]
        service = next(self._place.services[name] for name, each in HOSTS.items() if each == host)
        target = "/" + request.target.split("/", 3)[3]
        path = request.path.partition(host)[2].partition("/")[2]
        passed = replace(
            request,
            target=target,
            path=f"/{path}",
            raw_path=target.partition("?")[0],
            kind=service.kind(request.method, f"/{path}"),
            headers={name: value for name, value in request.headers.items() if name != "proxy-authorization"},
        )
        service.received(passed)
        return service.answer(passed)


def _proxies(made: Places) -> Iterator[Trial]:
    faults = {
        "works": Fault(),
        "wants another password": Fault(status=407, body=PASSWORD.encode()),
        "resets": Fault(reset="before"),
    }
    for what, fault in faults.items():
        with made.one() as place, Proxy(place) as proxy:
            place.environment |= {"HTTP_PROXY": f"http://anna:{QUOTED}@{proxy.host}", "NO_PROXY": ""}
            looking = Looking.at(place, password=PASSWORD)
            if fault != Fault():
                proxy.fail("*", fault, times=10_000)
            looking.run("scan")
            yield trial_of("proxy", what, "scan", looking)
            if not proxy.requests:
                raise RuntimeError("nothing went through the proxy")


def _databases(made: Places) -> Iterator[Trial]:
    """A database with a password: there, full of answers, and away."""
    with ExitStack() as stack:
        cell = Cell("secrets, database", "with a password", "scan")
        try:
            url = make_url(stack.enter_context(databases.empty_url("postgresql", Path())))
        except BaseException as reason:  # noqa: BLE001 - pytest's own way to say that there is none
            yield untried(cell, str(reason))
            return
        secret = url.set(password=PASSWORD)
        for what, address in {
            "scan": secret,
            "config": secret,
            "away": secret.set(port=9),
            "no such database": secret.set(database="cnry_none"),
        }.items():
            place = stack.enter_context(made.one())
            place.settings["DB_URL"] = address.render_as_string(hide_password=False)
            looking = Looking.at(place, password=PASSWORD)
            looking.run("config" if what == "config" else "scan")
            looking.names |= _dump(url)
            yield trial_of("database", "with a password", what, looking)


def _dump(url: object) -> set[str]:
    """All that is kept in a database, as text."""
    with Database.open(str(url)) as database, database.reading() as session:
        return {
            str(value)
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table))
            for value in row
        }


def _spooled(made: Places) -> Trial:
    """The database is lost while Imagga echoes what it got: the answers go to a file."""
    with made.one() as place:
        looking = Looking.at(place)

        is_away = threading.Event()
        transact = Database.transact

        def fail(database: Database, act: Callable[[Session], T]) -> T:
            if is_away.is_set():
                raise StoreError("The database is away")
            return transact(database, act)

        def lose(_: Request) -> bool:
            is_away.set()
            return True

        echo = {"result": {"tags": []}, "echo": _own("Imagga", looking).echo()}
        place.imagga.fail("tags", Fault(body=json.dumps(echo).encode()), times=99, when=lose)
        with patch.object(Database, "transact", fail):
            looking.run("scan")
        if not list(place.folder.glob("*.spool")):
            return untried(Cell("secrets, spool file", "the database is lost", "scan"), "nothing was spooled")
        return trial_of("spool file", "the database is lost", "scan", looking)


def _arguments(made: Places) -> Trial:
    """The program as a process of its own: what `ps` shows of it and of those it starts."""
    with made.one() as place:
        looking = Looking.at(place)
        place.settings |= {
            name: value.replace(host, "127.0.0.1")
            for host in HOSTS.values()
            for name, value in place.settings.items()
            if host in value
        }
        shown: set[str] = set()
        process: list[subprocess.Popen[str]] = []

        def look(_: Request) -> bool:
            shown.update(_shown_of(process[0].pid) if process else ())
            return False

        place.imagga.fail("tags", Fault(), times=0, when=look)
        command = [sys.executable, "-m", "tigertag", "--env-file", str(place.env_file()), "scan", *LOUD]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        env = {**kept, "HOME": str(place.folder), "NO_PROXY": "*"}
        process.append(
            subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        out, err = process[0].communicate(timeout=120)
        looking.said = out + err + "\n".join(shown)
        if process[0].returncode or not shown:
            raise RuntimeError(f"nothing was seen of the process: {err[-300:]}")
        return trial_of("arguments of processes", "none", "scan", looking)


def _shown_of(pid: int) -> Iterator[str]:
    """The command line and title of a process and of its children."""
    with suppress(OSError):
        yield Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        yield Path(f"/proc/{pid}/comm").read_text()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _shown_of(int(child))


def _wire(made: Places, full: bool) -> Iterator[Trial]:
    """Each fault on the wire, at the loudest."""
    for name, kinds in _kinds_of(made):
        bench = Bench(made, name)
        for kind in kinds:
            for wrong in wrongs(name, made.elsewhere.url):
                if not full and not _is_sample(kind, wrong.name):
                    continue
                secure = name if wrong.away == "certificate" and made.certificates else ""
                with made.one(secure) as place:
                    looking = Looking.at(place)
                    bench.spoil(place, kind, wrong, 0)
                    looking.run("scan")
                    yield trial_of(f"{name} {kind}", wrong.name, "scan", looking)


def _is_sample(kind: str, fault: str) -> bool:
    return (kind, fault) in {
        ("identity", "401, for ever"),
        ("listing page", "redirect to another host, for ever"),
        ("tag edit", "HTML, for ever"),
        ("tags", "redirect to another host, for ever"),
        ("tags", "refused"),
        ("recognise", "redirect to another host, for ever"),
        ("chat", "redirect to another host, for ever"),
    }
