"""Secrets of sources and targets that are set up by themselves, of clusters, and of hubs of models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

from tests.servers.base import Fault, Service
from tests.torture.place import Place, Places
from tests.torture.secrets_looking import PASSWORD, QUOTED, Looking, trial_of
from tests.torture.trial import Cell, Trial, untried

_TOKEN = "hf_cnry/hub+token=&%1~"


def trials(made: Places, full: bool) -> Iterator[Trial]:
    yield from _set_up_apart(made)
    yield from _misconfigured(made)
    yield from _clusters(made, full)
    if full:
        yield from _hubs(made)


def _set_up_apart(made: Places) -> Iterator[Trial]:
    """`SOURCE_*` and `TARGET_*` in the place of the short `PLEX_*`."""
    with made.one() as place:
        for short in [name for name in place.settings if name.startswith("PLEX_")]:
            value = place.settings.pop(short)
            place.settings[f"SOURCE_NAS_{short.removeprefix('PLEX_')}"] = value
            if short != "PLEX_SECTIONS":
                place.settings[f"TARGET_NAS_{short.removeprefix('PLEX_')}"] = value
        place.settings |= {"SOURCE_NAS_NAME": "plex", "TARGET_NAS_NAME": "plex"}
        looking = Looking.at(place)
        for command in ("scan", "config", "check"):
            looking.run(command)
            yield trial_of("SOURCE_ and TARGET_", "none", command, looking)
        place.plex.fail("tag edit", Fault(status=401, body=place.plex.plex.token.encode()), times=99)
        looking.run("undo", "--all", "--yes")
        yield trial_of("SOURCE_ and TARGET_", "401 with the token in it", "undo", looking)
        if not place.plex.struck:
            raise RuntimeError(f"no tag was edited: {looking.said}")


def _misconfigured(made: Places) -> Iterator[Trial]:
    wrong = {
        "TARGET_PLEX_URL": f"http://anna:{QUOTED}@plex.test:32400",
        "TARGET_PLEX_TOKEN": f"{PASSWORD} two words",
        "TARGET_PLEX_TOKN": PASSWORD,
        "SOURCE_PLEX_URL": f"http://anna:{QUOTED}@plex.test:32400",
        "SOURCE_PLEX_TOKEN": f"{PASSWORD} two words",
        "ENGINE_OPENAI_API_URL": f"http://anna:{QUOTED}@vision.test/v1",
        "ENGINE_OPENAI_API_KEY": f"{PASSWORD} two words",
    }
    for name, value in wrong.items():
        with made.one() as place:
            place.settings[name] = value
            looking = Looking.at(place, password=PASSWORD)
            looking.run("config")
            yield trial_of("settings", f"wrong {name}", "config", looking)


def _clusters(made: Places, full: bool) -> Iterator[Trial]:
    """The address of an executor is not a setting, and may hold a password all the same."""
    addresses = {
        "password": f"dask://anna:{QUOTED}@127.0.0.1:9",
        "password, not quoted": f"dask://anna:{PASSWORD}@127.0.0.1:9",
        "tls and password": f"tls://anna:{QUOTED}@127.0.0.1:9",
        "password without a scheme": f"anna:{QUOTED}@127.0.0.1:9",
    }
    for what, address in addresses.items() if full else [*addresses.items()][:1]:
        with made.one() as place:
            looking = Looking.at(place, password=PASSWORD)
            looking.run("scan", "--executor", address)
            yield trial_of("address of a cluster", what, "scan", looking)
            if "is no executor" not in looking.said:
                raise RuntimeError(f"the address was not refused: {looking.said}")


@dataclass(frozen=True)
class _Wrong:
    name: str
    kind: str
    fault: Fault


def _hubs(made: Places) -> Iterator[Trial]:
    """The hub's token is taken from the environment by the hub's own library."""
    try:
        from tests.engines import clip_models
        from tests.servers.hub import Hub
    except ImportError as error:
        yield untried(Cell("secrets, hub of models", "none", "scan"), str(error))
        return
    echo, elsewhere = _TOKEN.encode(), made.elsewhere.url
    wrongs = (
        _Wrong("none", "*", Fault()),
        _Wrong("401 with the token in it", "*", Fault(status=401, body=echo)),
        _Wrong("500 with the token in it", "*", Fault(status=500, body=echo)),
        _Wrong("token in a header", "*", Fault(status=403, headers={"X-Error-Message": _TOKEN})),
        _Wrong("model that holds the token", "GET config.json", Fault(body=echo)),
        _Wrong("redirect to another host", "*", Fault.redirect(f"{elsewhere}/config.json", 307)),
        _Wrong("download from another host", "GET config.json", Fault.redirect(f"{elsewhere}/c.json", 302)),
    )
    for wrong in wrongs:
        with made.one() as place, Hub(clip_models.make(place.folder / "shelf")) as hub:
            if wrong.fault != Fault():
                hub.fail(wrong.kind, wrong.fault, times=1000)
            looking = _with_model(place, hub)
            # The hub's library waits up to half a minute between its tries.
            with patch("huggingface_hub.utils._http.time.sleep", lambda _: None):
                looking.run("scan")
            yield trial_of("hub of models", wrong.name, "scan", looking)
            if not hub.requests:
                raise RuntimeError(f"the hub was not asked: {looking.said}")


def _with_model(place: Place, hub: Service) -> Looking:
    place.environment |= {"HF_TOKEN": _TOKEN, "HF_HUB_DISABLE_TELEMETRY": "1"}
    settings = {"MODEL": "tiny/clip", "HUB": hub.url, "CACHE": str(place.folder / "cache")}
    place.settings |= {f"ENGINE_CLIP_{name}": value for name, value in settings.items()}
    looking = Looking.at(place, **{"Hub's token": _TOKEN})
    looking.others["Hub"], looking.may_go_elsewhere = hub, True
    return looking
