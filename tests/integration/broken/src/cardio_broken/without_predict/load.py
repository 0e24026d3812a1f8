"""The toy's `load`."""

from cardio_broken.borrowed.load import load

__all__ = ["load"]
