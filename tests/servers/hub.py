"""A stand-in for a hub of models: `HEAD` and `GET /{owner}/{name}/resolve/{revision}/{file}`.

As the Hub API answers: the commit in `X-Repo-Commit`; for a large file its SHA-256 as `X-Linked-Etag` and its
length as `X-Linked-Size`; ranges for what was cut off; 404 with `X-Error-Code` for what is not there.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tests.servers.base import Answer, Request, Service

COMMIT = "c0ffee" + "0" * 34
_PATH = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


class Hub(Service):
    """Serves the files below a folder as one model. What is no question of a hub is reported as damage."""

    def __init__(self, folder: Path, name: str = "tiny/clip") -> None:
        super().__init__()
        self.folder = folder
        self.name = name
        self.lies: dict[str, str] = {}
        """File → the SHA-256 that it is said to have."""

    def kind(self, method: str, path: str) -> str:
        found = _PATH.fullmatch(path)
        return f"{method} {found['file']}" if found else f"{method} other"

    def answer(self, request: Request) -> Answer:
        found = _PATH.fullmatch(request.path)
        if request.path.startswith("/api/"):
            return _missing("EntryNotFound")  # what a mirror of files only says
        if found is None or request.method not in ("HEAD", "GET"):
            self.report(f"{request.method} {request.path} is no question for a file")
            return Answer(400)
        if found["repo"] != self.name:
            return _missing("RepoNotFound")
        if found["revision"] not in ("main", COMMIT):
            return _missing("RevisionNotFound")
        path = self.folder / found["file"]
        if not path.is_file():
            return _missing("EntryNotFound")
        return self._file(request, path, found["file"])

    def _file(self, request: Request, path: Path, name: str) -> Answer:
        content = path.read_bytes()
        headers = {"X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if path.suffix == ".onnx":
            digest = self.lies.get(name) or hashlib.sha256(content).hexdigest()
            headers |= {
                "ETag": f'"{digest}"',
                "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(len(content)),
            }
        else:
            headers["ETag"] = f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked is None or request.method == "HEAD":
            return Answer(200, content, "application/octet-stream", headers)
        start = int(asked[1])
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Answer(206, content[start:], "application/octet-stream", headers)


def _missing(code: str) -> Answer:
    return Answer(404, b"", headers={"X-Error-Code": code, "X-Repo-Commit": COMMIT})
