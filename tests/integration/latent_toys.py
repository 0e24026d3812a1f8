"""Two toy cohorts of the same people, each of which sees one of two latent effects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.registry import resolve

SETTINGS = ("inner.k=0", "search=[]", "models=[ridge]", "protocols.honest.decision=fixed")
"""One small model, nothing chosen: a run of a second."""


def people_of(n: int, seed: int, a: float, b: float, prefix: str = "P") -> pd.DataFrame:
    """Draw people whose log odds of illness are ``a z1 + b z2``; z1 and z2 are standard normal."""
    rng = np.random.default_rng([seed, 77])
    z = rng.normal(size=(n, 2))
    p = 1 / (1 + np.exp(-(a * z[:, 0] + b * z[:, 1])))
    y = (rng.random(n) < p).astype(int)
    names = [f"{prefix}{i:03d}" for i in range(n)]
    return pd.DataFrame({"z1": z[:, 0], "z2": z[:, 1], "p": p, "y": y}, index=names)


def record(folder: Path, people: pd.DataFrame, latent: str, seed: int) -> Path:
    """Write recordings of the toy whose height tells one latent effect, and a cohort table."""
    folder.mkdir(parents=True)
    asked = pd.DataFrame(
        {"patient_id": people.index, "number": 100 + np.arange(len(people)), "shift": 0.0,
         "outcome": people["y"].to_numpy(bool), "effect": people[latent].to_numpy()}
    )  # fmt: skip
    write = resolve("cardio_toy.synthetic:synthesize")
    write(folder, task="mean_class", seed=10 * seed + int(latent[1]), patients=asked)
    return folder


def two_runs(
    run_toy: Callable[..., Path], folder: Path, people: pd.DataFrame, seed: int, lack: float = 0.0
) -> list[str]:
    """Run the toy on both recordings; a share of the people lacks either."""
    rng = np.random.default_rng([seed, 5])
    runs = []
    for latent in ("z1", "z2"):
        here = people[rng.random(len(people)) >= lack]
        data = record(folder / f"data-{latent}", here, latent, seed)
        run_toy(folder / latent, data=(data,), protocol="honest", seed=seed, sets=SETTINGS)
        runs.append(str(folder / latent))
    return runs
