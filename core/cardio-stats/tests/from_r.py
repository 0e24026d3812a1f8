"""What the tests against R share: its stored numbers, and the rows that its scripts made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def oracle(name: str) -> Any:
    """Return the numbers that oracles/NAME.R printed."""
    return json.loads((Path(__file__).parent / f"oracles/{name}.json").read_text(encoding="utf-8"))


def integers(seed: int, n: int, k: int) -> np.ndarray:
    """Return the n rows of k integers from which a script made its rows (Lehmer's generator)."""
    found = np.empty((n, k), dtype=np.int64)
    for i in range(found.size):
        seed = found.flat[i] = 16807 * seed % 2147483647
    return found
