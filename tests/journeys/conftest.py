"""The house of the pipeline's tests, for long stories."""

from tests.pipeline.conftest import house

__all__ = ["house"]
