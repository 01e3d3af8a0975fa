"""Environment, `.env` and flags → one frozen Settings. The only reader of `os.environ`."""

from tigertag.config.loading import database_url, load, load_from_process
from tigertag.config.options import OptionField, fields_of
from tigertag.config.settings import Declared, Setting, Settings

__all__ = [
    "Declared",
    "OptionField",
    "Setting",
    "Settings",
    "database_url",
    "fields_of",
    "load",
    "load_from_process",
]
