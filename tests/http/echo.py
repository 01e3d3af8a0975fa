"""A service that answers what it was asked, and a session with it that has little patience."""

from __future__ import annotations

from typing import Any

from tests.servers.base import Answer, Request, Service
from tigertag.http import (
    Http,
)


class Echo(Service):
    """Answers what it was asked."""

    def kind(self, method: str, path: str) -> str:
        return path

    def answer(self, request: Request) -> Answer:
        return Answer.of({"method": request.method, "query": dict(request.query), "size": len(request.body)})


def http(url: str, **changes: Any) -> Http:
    limits = {"connect_timeout": 2, "read_timeout": 2, "total_timeout": 3} | changes
    return Http(url, service="Echo", **limits)
