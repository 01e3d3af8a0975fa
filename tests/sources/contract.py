"""The old name of `tigertag.contract.source`."""

from tigertag.contract.source import *  # noqa: F403
