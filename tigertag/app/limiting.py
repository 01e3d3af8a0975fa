"""What an engine may still be asked, after what earlier runs asked of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tigertag.app.context import App, engine_options
from tigertag.config import Declared
from tigertag.model import EngineRules
from tigertag.pipeline.limits import Limits, Spent, spent, window
from tigertag.store import sends
from tigertag.store.database import Database

__all__ = ["Spent", "money", "open_limits", "raise_if_closed", "spent_of"]


def money(amount: float) -> str:
    """`4.86`, `0.0004`: in the user's currency, whose name is not known."""
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:.2g}"


def raise_if_closed(app: App, declared: Declared) -> None:
    """Raises PluginDown outside the engine's hours: it is not even started then."""
    hours = engine_options(declared).hours
    refusal = Limits(EngineRules(hours=hours), now=app.now).refusal()
    if refusal is not None:
        raise refusal


def open_limits(app: App, database: Database, declared: Declared) -> Limits:
    """The limits for a run: it holds the lock, so nobody else spends of them. A stop ends their waits."""
    with database.reading() as session:
        used = _used(session, declared, app.now())
    return Limits(engine_options(declared).rules(), used, now=app.now, pause=app.stop.wait)


def spent_of(session: Session, declared: Declared, now: datetime) -> Spent | None:
    """How the engine's budget stands; None where it has none."""
    budget = engine_options(declared).budget
    return None if budget is None else spent(budget, _used(session, declared, now), now)


def _used(session: Session, declared: Declared, now: datetime) -> int:
    """Moments that lie ahead count too: the clock was put back."""
    budget = engine_options(declared).budget
    return 0 if budget is None else sends.used(session, declared.id, window(budget, now)[0])
