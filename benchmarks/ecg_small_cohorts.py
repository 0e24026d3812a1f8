"""Models of `crt_response` side by side: areas, pairs, coverage by class, and time a patient.

Takes finished runs on the same folds and reads the predictions out of fold of their honest
protocol. Models of several runs are put together where patients, folds and truths are the same;
with ``--fuse`` these are fused as well, by the core's late fusion.

    python benchmarks/ecg_small_cohorts.py RUN [RUN ...] --against forest
    python benchmarks/ecg_small_cohorts.py INSIDE --outside RUN
    python benchmarks/ecg_small_cohorts.py RUN --time PTBXL
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import Context, ModelArtifact
from cardio_core.evaluation.conformal import conformal_quantile
from cardio_core.evaluation.fusion import fuse
from cardio_ecg_transfer.response.config import Config, LoadBlock, PreprocessBlock
from cardio_ecg_transfer.response.featurize import featurize
from cardio_ecg_transfer.response.load import load
from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_ecg_transfer.response.predict import predict
from cardio_ecg_transfer.response.preprocess import preprocess
from cardio_stats.auc_covariance import delong_paired
from cardio_stats.proportions import wilson_limits
from cardio_stats.roc_curves import auc

ALPHA = 0.1
TARGET = CRT_RESPONSE.targets[0]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="finished runs, on the same folds")
    parser.add_argument("--against", default="forest", help="model that the others are paired with")
    parser.add_argument("--fuse", action="append", default=[], help="names with + between them")
    parser.add_argument("--outside", type=Path, nargs="+", help="runs that left sites out")
    parser.add_argument("--time", type=Path, help="a PTB-XL folder to time predictions on")
    parser.add_argument("--patients", type=int, default=40, help="how many are timed")
    asked = parser.parse_args()
    inside = side_by_side(asked.runs, asked.fuse)
    print(table_of_models(inside, asked.against))
    if asked.outside:
        print(table_of_losses(inside, side_by_side(asked.outside, asked.fuse)))
    if asked.time:
        print(table_of_times(asked.runs, asked.time, asked.patients))


def side_by_side(runs: list[Path], fused: list[str]) -> pd.DataFrame:
    """Return one row a patient: subject, fold, y, and the score of each model."""
    said = pd.concat(
        [pd.read_csv(run / "predictions.csv", dtype={"patient_id": str}) for run in runs]
    )
    said = said[(said["protocol"] == "honest") & (said["event"] == TARGET.classes[1])]
    said = said.drop_duplicates(["model", "patient_id"])
    folds = said.groupby("patient_id")[["fold", "y_true"]].nunique()
    if (folds != 1).any(axis=None):
        raise SystemExit("expected runs on the same folds, found a patient in several")
    keys = ["patient_id", "fold", "y_true"]
    table = said.pivot_table(index=keys, columns="model", values="score").dropna().reset_index()
    for names in fused:
        if not set(names.split("+")) <= set(table.columns):
            continue  # these runs lack one of them
        frames = {
            name: pd.DataFrame(
                {"unit_id": table["patient_id"], "subject_id": table["patient_id"], "repeat": 0,
                 "fold": table["fold"], "y_true": table["y_true"], "score:no": 1 - table[name],
                 "score:yes": table[name]}
            )
            for name in names.split("+")
        }  # fmt: skip
        made = crossed(frames).set_index("unit_id")["score:yes"]
        table[names] = made.loc[table["patient_id"]].to_numpy()
    return table


def crossed(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return fused predictions of each fold, with weights from the other folds' patients."""
    parts = []
    for fold in next(iter(frames.values()))["fold"].unique():
        others = {name: frame[frame["fold"] != fold] for name, frame in frames.items()}
        own = {name: frame[frame["fold"] == fold] for name, frame in frames.items()}
        parts.append(fuse(others, own, TARGET).frame)
    return pd.concat(parts, ignore_index=True)


def models_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of scores, best first."""
    names = [name for name in table.columns if name not in ("patient_id", "fold", "y_true")]
    y = truth(table)
    return sorted(names, key=lambda name: -auc(y, table[name]).value)


def truth(table: pd.DataFrame) -> np.ndarray:
    """Return 1 with and 0 without the outcome."""
    return (table["y_true"] == TARGET.classes[1]).to_numpy(int)


def table_of_models(table: pd.DataFrame, against: str) -> str:
    """Return area, Brier score, the pair with `against`, and the coverage of 90 % sets by class."""
    y = truth(table)
    lines = [
        f"{len(y)} patients, {y.sum()} with the outcome",
        f"| model | AUC | Brier | minus {against}, paired DeLong | 90 % sets: all | without |"
        " with | classes in a set |",
        "|---|---|---:|---|---|---|---|---:|",
    ]
    for name in models_of(table):
        area, scores = auc(y, table[name]), table[name].to_numpy()
        pair = ""
        if name != against:
            d = delong_paired(y, scores, table[against])
            pair = f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}), p {d.p_value:.3f}"
        covered, size = sets(table, name)
        parts = [share(covered[mask]) for mask in (y >= 0, y == 0, y == 1)]
        lines.append(
            f"| `{name}` | {area.value:.3f} ({area.low:.3f} to {area.high:.3f}) |"
            f" {np.mean((scores - y) ** 2):.3f} | {pair} | {' | '.join(parts)} |"
            f" {size.mean():.2f} |"
        )
    return "\n".join(lines)


def sets(table: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each patient's set holds his class, and its size.

    The limit of a fold comes from the other folds' patients.
    """
    y, scores = truth(table), table[name].to_numpy()
    strange = np.stack([scores, 1 - scores], axis=1)  # of "no", of "yes"
    own = strange[np.arange(len(y)), y]
    limit = np.empty(len(y))
    for fold in table["fold"].unique():
        here = (table["fold"] == fold).to_numpy()
        limit[here] = conformal_quantile(own[~here], ALPHA)
    return own <= limit, (strange <= limit[:, None]).sum(axis=1)


def share(covered: np.ndarray) -> str:
    """Return a share with Wilson's interval."""
    low, high = wilson_limits(int(covered.sum()), len(covered), 0.95)
    return f"{covered.mean():.2f} ({low:.2f} to {high:.2f})"


def table_of_losses(inside: pd.DataFrame, outside: pd.DataFrame) -> str:
    """Return what each model loses where whole sites are left out, on the same patients."""
    both = inside.merge(outside, on=["patient_id", "y_true"], suffixes=(" in", " out"))
    y = truth(both)
    lines = ["| model | inside | outside | loss, paired DeLong | each site, inside → left out |",
             "|---|---:|---:|---|---|"]  # fmt: skip
    for name in models_of(inside):
        if f"{name} out" not in both:
            continue
        d = delong_paired(y, both[f"{name} in"], both[f"{name} out"])
        areas = []
        for _, part in both.groupby("fold out"):
            y_part = truth(part)
            was, now = (auc(y_part, part[f"{name} {side}"]).value for side in ("in", "out"))
            areas.append(f"{was:.2f} → {now:.2f}")
        lines.append(
            f"| `{name}` | {d.extra['auc_a']:.3f} | {d.extra['auc_b']:.3f} |"
            f" {d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}) | {', '.join(areas)} |"
        )
    return "\n".join(lines)


def table_of_times(runs: list[Path], data: Path, n: int) -> str:
    """Return the time that each final model takes a patient, all in this one process."""
    ctx = Context(CRT_RESPONSE, hook="load", mode="predict", _inputs=(data,))
    cohort = load(LoadBlock(), ctx)
    samples = cohort.samples.take(list(range(n)))
    config = Config(featurize={"height": 32, "width": 40})
    began = time.process_time()
    features = featurize(preprocess(samples, PreprocessBlock(), ctx), config.featurize)
    made_ms = 1000 * (time.process_time() - began) / n
    lines = [f"{n} patients; beats, measurements and pictures of each: {made_ms:.0f} ms of CPU",
             "| model | ms of CPU a patient | beside the fastest |", "|---|---:|---:|"]  # fmt: skip
    found: dict[str, float] = {}
    for run in runs:
        for place in sorted((run / "models" / "final").iterdir()):
            if not (place / "artifact").is_dir() or CRT_RESPONSE.model(place.name).core_owned:
                continue
            artifact = ModelArtifact(place / "artifact")
            own = Context(CRT_RESPONSE, hook="predict", mode="predict", model=place.name)
            took = []
            for _ in range(3):
                began = time.process_time()
                predict(artifact, features, config.predict, own)
                took.append(1000 * (time.process_time() - began) / n)
            found[place.name] = min(took)
    for name, took_ms in sorted(found.items(), key=lambda one: one[1]):
        lines.append(f"| `{name}` | {took_ms:.2f} | {took_ms / min(found.values()):.0f} × |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
