"""Engines, each against its stand-in and the contract that all of them keep."""

import pytest

pytest.register_assert_rewrite("tests.engines.contract")
