"""The workers of a run: they bring the decoders, which commands that only look do not need."""

from __future__ import annotations

from contextlib import ExitStack

from tigertag import executors
from tigertag.app.context import App
from tigertag.pipeline.workshop import Workshop


def open_workshop(app: App, stack: ExitStack) -> Workshop:
    """Raises ConfigError where there is no such executor, PluginDown where it cannot be reached."""
    workshop = Workshop(executors.open_workers(app.executor))
    stack.callback(workshop.close)
    return workshop
