"""The account: what it may do, and why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tigertag.engines.imagga.answers import Usage, one_line, refusal_of, usage_of
from tigertag.engines.imagga.limits import Allowance, used_up
from tigertag.errors import PluginDown
from tigertag.http import BadReply, Http, Reply, Tries, is_good
from tigertag.service import Advice, Inquiry

KEYS = "check api_key and api_secret against the dashboard on imagga.com"
ADVICE = Advice(
    address="check api_url and tagger",
    online="is this machine online, and api_url right? The next scan asks again",
)


class Account:
    """Asks `GET /usage`, which costs nothing."""

    def __init__(self, http: Http, now: Callable[[], datetime], is_over: Callable[[], bool]) -> None:
        self._http = http
        self._inquiry = Inquiry(http, now, ADVICE, is_over)

    def usage(self, tries: Tries | None) -> Usage:
        """What the account may do. Raises PluginDown. Repeats as `tries` allow; None: never."""
        return self._read(self._inquiry.ask("/usage", tries, {"concurrency": 1}))

    def refusal(self, reply: Reply, path: str, tries: Tries, allowance: Allowance | None) -> PluginDown:
        """Why nobody is served: the key, the quota or the address (RELIABILITY E2, E3).

        A 403 is both a bad key and a used-up quota; only the usage tells them apart. `allowance` learns it.
        """
        words = self.words(reply)
        if reply.status == 401:
            return PluginDown(f"Imagga rejected the API key ({words}): {KEYS}")
        if reply.status not in (402, 403):
            return PluginDown(f"Imagga at {self._http.origin} does not know {path} ({words}): {ADVICE.address}")
        try:
            usage = self.usage(tries)
        except PluginDown as down:
            return PluginDown(f"Imagga refused ({words}), and its usage is not to be had: {down}")
        if allowance is not None:
            allowance.renew(usage)
        quota = Allowance(usage, 0).quota()
        if quota.left == 0:
            return used_up(quota)
        if reply.status == 402:
            until = quota.until or "it is paid"
            said = f"Imagga asks for payment ({words}); its photos wait until {until}"
            return PluginDown(said, planned=True, until=quota.until)
        return PluginDown(f"Imagga rejected the API key ({words}): {KEYS}")

    def words(self, reply: Reply) -> str:
        """The status and what the service says of it, in one line without secrets."""
        try:
            said = refusal_of(reply.json())
        except BadReply:
            said = None
        return f"{reply.status}: {one_line(self._http.redact(said), 200)}" if said else str(reply.status)

    def _read(self, reply: Reply) -> Usage:
        words = self.words(reply)
        if reply.status == 402:
            raise PluginDown(f"Imagga asks for payment ({words}): see the dashboard on imagga.com")
        if reply.status in (401, 403):
            raise PluginDown(f"Imagga rejected the API key ({words}): {KEYS}")
        if not is_good(reply.status):
            raise PluginDown(f"Imagga does not say what is left ({words}); {ADVICE.address}, or {ADVICE.later}")
        try:
            usage = usage_of(reply.json())
        except BadReply as error:
            raise PluginDown(f"Imagga's usage could not be read ({error.why}); {ADVICE.address}") from error
        return replace(usage, until=self._http.redact(usage.until))
