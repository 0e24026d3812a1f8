"""Out-of-fold predictions by code, as `evaluate` gets them; nothing is measured on them."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from cardio_core.api import Cohort, Model, SampleSet, Scored, Target, Targets, Task

VIEWS = ("a4c", "a2c", "plax")
WMA = Task(
    "wma", "Wall motion", "study",
    tuple(Target(name, "binary", ("no", "yes")) for name in ("wma", *(f"wma_{v}" for v in VIEWS))),
    tuple(Model(name, name) for name in (*VIEWS, "fused", "lvef")),
)  # fmt: skip
T1 = Task(
    "t1", "T1", "study",
    (Target("t1_high", "binary", ("no", "yes")), Target("t1_ms", "continuous", unit="ms")),
    (Model("fused", "fused"), Model("fused_value", "fused")),
)  # fmt: skip
VIEW = Task(
    "view", "View", "recording", (Target("view", "multiclass", (*VIEWS, "other")),),
    (Model("resnet", "ResNet"),),
)  # fmt: skip


def correlated_scores(rng, *, n_patients=145, n_clips=5, auc=0.82, icc=0.8, prevalence=0.483):
    """Return labels of patients, scores of their clips with this intraclass correlation, and who.

    A clip's area is `auc` in expectation: two normal distributions of equal spread.
    """
    y = (rng.random(n_patients) < prevalence).astype(int)
    apart = NormalDist().inv_cdf(auc) * np.sqrt(2)
    own = apart * y + np.sqrt(icc) * rng.normal(size=n_patients)
    scores = own[:, None] + np.sqrt(1 - icc) * rng.normal(size=(n_patients, n_clips))
    patients = [f"p{number:03d}" for number in range(n_patients)]
    return pd.DataFrame(
        {
            "y": np.repeat(y, n_clips), "score": scores.ravel(),
            "subject_id": np.repeat(patients, n_clips),
        }
    )  # fmt: skip


def studies(n_patients=60, seed=0):
    """Return one row a study: a third of the patients have two, and a fifth lack A2C."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_patients):
        for which in range(1 + (number % 3 == 0)):
            rows.append({"study_id": f"p{number:03d}-s{which}", "patient_id": f"p{number:03d}",
                         "fold": f"r0-f{number % 5}", "has_a2c": number % 5 != 1})  # fmt: skip
    table = pd.DataFrame(rows).set_index("study_id", drop=False)
    table.index.name = None
    sick = rng.random(n_patients) < 0.5
    table["sick"] = sick[[int(p[1:]) for p in table["patient_id"]]]
    seg = rng.random((len(table), 17)) < np.where(table["sick"], 0.25, 0.0)[:, None]
    for number in range(17):
        table[f"wma_seg_{number + 1:02d}"] = seg[:, number].astype(float)
    table["t1_ms"] = rng.normal(1030, 45, len(table)).round()
    table["age_y"] = rng.normal(60, 12, len(table)).round()
    table["sex"] = rng.choice(["F", "M"], len(table))
    table["htn"] = rng.choice([0.0, 1.0, np.nan], len(table))
    return table


SEGMENTS = {"a4c": (3, 9, 14, 17, 16, 12, 6), "a2c": (1, 7, 13, 17, 15, 10, 4),
            "plax": (2, 8, 5, 11), "": tuple(range(1, 18))}  # fmt: skip


def labels(table):
    """Return wma and wma_VIEW, 0 or 1, by study."""
    made = {}
    for view, numbers in SEGMENTS.items():
        columns = [f"wma_seg_{number:02d}" for number in numbers]
        made[f"wma_{view}".rstrip("_")] = table[columns].max(axis=1)
    return pd.DataFrame(made, index=table.index)


def cohort(table, n_loops=2):
    """Return the cohort: two loops of every view that a study has."""
    rows = [
        {"recording_id": f"{row.study_id}-{view}{number}", "study_id": row.study_id,
         "patient_id": row.patient_id, "view_given": view}
        for row in table.itertuples()
        for view in VIEWS
        if view != "a2c" or row.has_a2c
        for number in range(n_loops)
    ]  # fmt: skip
    samples = pd.DataFrame(rows).set_index("recording_id", drop=False)
    samples.index.name = None
    clinical = table.drop(columns=["fold", "has_a2c", "sick", "study_id"])
    return Cohort(SampleSet(samples, np.zeros(len(samples))), {}, None, clinical)


def frame(table, target, model, y, score):
    """Return one target's predictions of one model, one row a study."""
    common = {
        "unit_id": table["study_id"], "sample_id": None, "recording_id": None,
        "study_id": table["study_id"], "patient_id": table["patient_id"],
        "subject_id": table["patient_id"], "level": "study", "time_s": None, "repeat": 0,
        "fold": table["fold"], "model": model,
    }  # fmt: skip
    if target.kind == "continuous":
        made = pd.DataFrame(common | {"y_true": y, "predicted": score, "score": score})
    else:
        classes = np.array(target.classes, dtype=object)
        made = pd.DataFrame(
            common
            | {"y_true": classes[np.asarray(y, int)],
               "predicted": classes[(np.asarray(score) >= 0.5).astype(int)],
               "score:no": 1 - score, "score:yes": score}
        )  # fmt: skip
    return made.reset_index(drop=True)


def wma_run(n_patients=60, seed=0):
    """Return predictions with scores of videos, targets, cohort and the table of studies."""
    table = studies(n_patients, seed)
    truth, whole = labels(table), cohort(table)
    rng = np.random.default_rng(seed + 1)
    videos = []
    parts = {target.name: [] for target in WMA.targets}
    of = {target.name: target for target in WMA.targets}
    for view in VIEWS:
        own = table if view != "a2c" else table[table["has_a2c"]]
        patient = dict(zip(own["patient_id"], rng.normal(0, 1.2, len(own)), strict=True))
        loops = whole.samples.table
        loops = loops[loops["view_given"] == view]
        y = truth[f"wma_{view}"].reindex(loops["study_id"]).to_numpy()
        logit = 2.2 * y - 1.1 + loops["patient_id"].map(patient).to_numpy()
        p = 1 / (1 + np.exp(-(logit + rng.normal(0, 0.4, len(loops)))))
        videos.append(
            pd.DataFrame({"unit_id": loops["recording_id"] + "#0", "model": view, "fold": "",
                          f"video:wma_{view}": p})
        )  # fmt: skip
        mean = pd.Series(p, index=loops["study_id"].to_numpy()).groupby(level=0).mean()
        score = mean.reindex(own["study_id"]).to_numpy()
        for name in (f"wma_{view}", "wma"):
            parts[name].append(frame(own, of[name], view, truth[name].loc[own.index], score))
    y = truth["wma"].to_numpy()
    p = 1 / (1 + np.exp(-(2.5 * y - 1.2 + rng.normal(0, 1, len(table)))))
    lvef = np.clip(rng.normal(0.4 + 0.15 * y, 0.15), 0, 1)
    parts["wma"] += [frame(table, of["wma"], name, y, own)
                     for name, own in (("fused", p), ("lvef", lvef))]  # fmt: skip
    frames = {name: pd.concat(made, ignore_index=True) for name, made in parts.items()}
    columns = pd.concat(videos, ignore_index=True)
    return Scored(frames, {}, columns), Targets("study", truth), whole, table


def t1_run(n_patients=60, seed=0):
    """Return predictions of T1 that know nothing, targets, cohort and the table of studies."""
    table = studies(n_patients, seed)
    value = table["t1_ms"].to_numpy()
    high = (value >= 1060).astype(float)
    rng = np.random.default_rng(seed + 1)
    target_high, target_ms = T1.targets
    frames = {
        "t1_high": frame(table, target_high, "fused", high, rng.uniform(0.1, 0.5, len(table))),
        "t1_ms": frame(table, target_ms, "fused_value", value, rng.normal(1030, 15, len(table))),
    }
    truth = pd.DataFrame({"t1_high": high, "t1_ms": value}, index=table.index)
    return Scored(frames), Targets("study", truth), cohort(table), table
