"""The toy's `train`."""

from cardio_broken.borrowed.train import train

__all__ = ["train"]
