"""The houses of the pipeline's tests."""

from tests.pipeline.conftest import any_house

__all__ = ["any_house"]
