"""The old name of `tigertag.contract.engine`."""

from tigertag.contract.engine import *  # noqa: F403
