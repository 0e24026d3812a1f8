"""What the core alone takes to join and read the features of n patients, without making them.

    python benchmarks/scaling_features.py 20000 FOLDER

Writes features as `featurize` leaves them (ten samples a patient: a picture and twenty numbers),
joins those of all patients, reads every number, and pictures in batches of 64 in a random order, as
a training does. Prints processor seconds and the largest memory (resident set) as JSON. To make
features of real recordings takes a hundred times as long (`benchmarks/scaling.py`).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.io.store import load_features, save_features
from cardio_core.runner.predict import without_verdicts
from cardio_core.types.features import FeatureBlock, FeatureSet, concatenate

SAMPLES, BATCHES, BATCH = 10, 100, 64


def write(folder: Path, n: int) -> None:
    """Write features of n patients, those that are not there."""
    rng = np.random.default_rng(0)
    leads = tuple("abcdefghijkl")
    picture = rng.uniform(size=(SAMPLES, 12, 24, 32)).astype(np.float16)
    numbers = rng.uniform(size=(SAMPLES, 20)).astype(np.float32)
    for patient in range(n):
        place = folder / f"{patient:05d}"
        if (place / "blocks.json").exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        ids = {
            "recording_id": f"r{patient}",
            "study_id": f"s{patient}",
            "patient_id": f"p{patient}",
        }
        index = [f"r{patient}#{number}" for number in range(SAMPLES)]
        table = pd.DataFrame({**ids, "time_s": np.arange(SAMPLES, dtype=float)}, index=index)
        columns = tuple(map(str, range(20)))
        blocks = {
            "picture": FeatureBlock(picture, ("lead", "frequency", "time"), leads, ("dB",)),
            "numbers": FeatureBlock(numbers, ("column",), columns, ("1",)),
        }
        save_features(place, FeatureSet(table, blocks))


def measure(folder: Path, n: int) -> dict[str, float]:
    """Return what each step took, in processor seconds, and the largest memory in MB."""
    took: dict[str, float] = {}
    began = time.process_time()

    def done(step: str) -> None:
        nonlocal began
        took[step] = round(time.process_time() - began, 2)
        began = time.process_time()

    parts = [load_features(folder / f"{patient:05d}") for patient in range(n)]
    done("open")
    features = concatenate(parts)
    done("join")
    features["numbers"].in_units()
    done("read numbers")
    rng = np.random.default_rng(1)
    for _ in range(BATCHES):
        features["picture"].in_units(rng.integers(len(features), size=BATCH))
    done(f"{BATCHES} batches of {BATCH} pictures")
    rows = [{"id": f"p{patient}", "level": "patient", "scores": {}} for patient in range(n)]
    without_verdicts(rows, features.table)
    done("verdicts of all patients")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {**took, "peak_mb": round(peak)}


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]))
    print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[1]))))
