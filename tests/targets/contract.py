"""The old name of `tigertag.contract.target`."""

from tigertag.contract.target import *  # noqa: F403
