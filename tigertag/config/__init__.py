"""Environment, `.env` and flags → one frozen Settings. The only reader of `os.environ`."""

from tigertag.config.loading import (
    CONTENT_ENGINE,
    LOCAL_ENGINES,
    database_url,
    load,
    load_from_process,
    outline,
    outline_of_process,
)
from tigertag.config.options import OptionField, fields_of
from tigertag.config.settings import Declared, Setting, Settings

__all__ = [
    "CONTENT_ENGINE",
    "LOCAL_ENGINES",
    "Declared",
    "OptionField",
    "Setting",
    "Settings",
    "database_url",
    "fields_of",
    "load",
    "load_from_process",
    "outline",
    "outline_of_process",
]
