"""The old name of `tigertag.contract.stand_ins`."""

from tigertag.contract.stand_ins import *  # noqa: F403
