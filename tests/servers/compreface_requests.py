"""What requests to the CompreFace stand-in are, and what is wrong with them."""

from __future__ import annotations

import json
import uuid

from tests.servers.base import Answer, Request

BASE = "/api/v1/recognition"


def refusal(status: int, code: int, message: str) -> Answer:
    return Answer.of({"message": message, "code": code}, status)


_KINDS = {
    ("GET", "/api/v1/consistence/status"): "status",
    ("GET", "/api/v1/config"): "config",
    ("GET", f"{BASE}/subjects"): "subjects",
    ("POST", f"{BASE}/subjects"): "add subject",
    ("DELETE", f"{BASE}/subjects"): "delete all",
    ("DELETE", f"{BASE}/subjects/"): "delete all",
    ("GET", f"{BASE}/faces"): "examples",
    ("POST", f"{BASE}/faces"): "add",
    ("DELETE", f"{BASE}/faces"): "delete many",
    ("POST", f"{BASE}/recognize"): "recognise",
}


def kind_of(method: str, path: str) -> str:
    """What a request is counted as."""
    known = _KINDS.get((method, path))
    if known is not None:
        return known
    return _below(method, path.removeprefix(BASE)) if path.startswith(BASE) else "other"


def _below(method: str, path: str) -> str:
    """The kind of a path with a name or an id in it."""
    match method, path.split("/")[1:]:
        case "PUT", ["subjects", _]:
            return "rename subject"
        case "DELETE", ["subjects", _]:
            return "delete subject"
        case "GET", ["faces", _, "img"]:
            return "img"
        case "DELETE", ["faces", _]:
            return "delete"
        case _, ["subjects" | "faces" | "recognize"]:
            return "wrong method"
    return "other"


def as_json(request: Request) -> object | Answer:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return Answer(415)
    try:
        value: object = json.loads(request.body)
    except ValueError:
        return Answer(400)
    return value


def name_trouble(name: object) -> Answer | None:
    if not isinstance(name, str) or not name.strip() or len(name) > 50:
        return refusal(400, 26, "Subject name cannot be blank or longer than 50")
    if any(sign in name for sign in ";/\\"):
        return refusal(400, 36, "Subject name contains forbidden characters")
    return None


def has_id(request: Request, place: int) -> bool:
    try:
        uuid.UUID(request.path.split("/")[place])
    except ValueError:
        return False
    return True


def is_threshold(request: Request) -> bool:
    try:
        return 0 <= float(request.one("det_prob_threshold", "0.85")) <= 1
    except ValueError:
        return False
