"""The toy's `preprocess`."""

from cardio_broken.borrowed.preprocess import preprocess

__all__ = ["preprocess"]
