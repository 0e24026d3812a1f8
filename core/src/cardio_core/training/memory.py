"""Batches that fit into memory: halving one that did not, and giving back what it held."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class BatchSize:
    """How many examples are in memory at once, and how many stand behind a change of the weights.

    Attributes
    ----------
    size : int
        Examples in memory at once, 1 or more.
    effective : int
        Examples behind each change of the weights; stays the same when `size` is halved.

    Examples
    --------
    >>> BatchSize(25, 50).halved()
    BatchSize(size=13, effective=50)
    >>> BatchSize(25, 50).halved().accumulate
    4
    """

    size: int
    effective: int

    @property
    def accumulate(self) -> int:
        """Number of batches behind each change of the weights."""
        return -(-self.effective // self.size)

    def halved(self) -> BatchSize:
        """Return half the size, rounded up, for the same effective batch."""
        return replace(self, size=-(-self.size // 2))


def release_memory() -> None:
    """Give back what a failed attempt held. The exception must no longer be held itself."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()  # does nothing where no GPU was used
