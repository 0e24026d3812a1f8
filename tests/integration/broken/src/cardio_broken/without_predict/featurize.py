"""The toy's `featurize`."""

from cardio_broken.borrowed.featurize import featurize

__all__ = ["featurize"]
