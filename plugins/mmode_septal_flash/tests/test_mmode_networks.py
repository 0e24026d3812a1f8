"""What networks and measurements are worth on clear and on subtle flashes, and where they look.

The fits are those of ``--config cpu``, out of fold. Cohorts and features are made once. A draw of
the pretraining takes four in five of the phantoms, and its own weights and order; seeds follow it,
each of which draws the folds, the last layer and the order of training. The full M-mode has ten
seeds over five single draws on clear flashes. A run keeps the best of three draws by its loss on
phantoms that are held back: ten further seeds follow five such choices, among fifteen draws of
which none is among the single ones. Slow: what is not stored yet is made first, an hour of one
quiet core in all. To make it:
``python -m plugins.mmode_septal_flash.tests.test_mmode_networks [folder that keeps cohorts]``.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_core.testing.driving import Bench, plugin_bench
from cardio_mmode_septal_flash.flash.explain import random_network
from cardio_mmode_septal_flash.flash.models import MODELS
from cardio_mmode_septal_flash.flash.network import open_network, pictures_for
from cardio_mmode_septal_flash.localisation.tables import places_of, scores_of
from cardio_mmode_septal_flash.networks.heat_maps import maps_of
from cardio_mmode_septal_flash.synthetic import synthesize
from cardio_stats import auc, bootstrap_sums

from .mmode_fits import Fit, Made, folds_of

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "mmode_networks.json"
N_PATIENTS, N_PHANTOMS, N_DRAWS, N_FOLDS = 60, 240, 5, 3
FITTED_SHARE = 0.8
FULL, CROP = "densenet", "densenet_crop"
NETWORKS = (FULL, CROP)
SEEDS = {
    ("clear", FULL): tuple((seed // 2, seed) for seed in range(10)),
    ("clear", CROP): ((0, 0), (0, 1)),
    ("subtle", FULL): ((0, 0),),
    ("subtle", CROP): ((0, 0),),
    **{(cohort, model): ((None, 0),) for cohort in ("clear", "subtle")
       for model in ("excursion", "motion")},
}  # fmt: skip
"""Draws of the pretraining and seeds of the fits, by cohort and model."""

MAPPED = ("clear", 0)
"""The cohort and the seed whose maps are scored."""

CHOICES = {10: (10, 11), 11: (12, 13), 12: (14, 15), 13: (16, 17), 14: (18, 19)}
"""Seeds of pretrainings as a run does them, the best of three draws, and of the fits after each."""


def made_of(task: str, folder: Path, *sets: str, **cohort: Any) -> Made:
    """Write the cohort, unless it is there, and make features as ``--config cpu`` does."""
    if not folder.exists():
        synthesize(folder, task=task, **cohort)
    return Made.of(bench_of(task, folder, *sets))


def bench_of(task: str, folder: Path, *sets: str) -> Bench:
    return plugin_bench("mmode_septal_flash", task, folder, config="cpu", sets=sets)


def pretrained(model: str, draw: int, phantoms: Made, folder: Path) -> tuple[Path, float]:
    """Pretrain on four in five phantoms; return the artifact, and its AUC on the others."""
    names = np.random.default_rng([draw, 7]).permutation(np.unique(phantoms.patients))
    fitted = np.isin(phantoms.patients, names[: round(FITTED_SHARE * names.size)])
    fit = phantoms.fit(model, fitted, draw, folder / f"{model}-draw-{draw}", fold="final")
    held = ~fitted & phantoms.original
    return fit.model.path, float(auc(phantoms.y[held], phantoms.scores(fit, held)).value)


def score_maps(model: str, seed: int, made: Made, folder: Path) -> list[dict[str, Any]]:
    """Return where the maps of the true positives of all folds lie, by method."""
    rows = []
    for number, tested in enumerate(folds_of(made, seed, N_FOLDS)):
        fit = made.reopened(model, seed, folder, number)
        chosen = np.flatnonzero(tested & made.original & (made.y == 1))
        right = made.scores(fit, np.isin(np.arange(len(made.features)), chosen)) > 0.5
        if not right.any():
            continue
        features = made.features.view(chosen[right])
        for method, heats in maps_by_method(fit, features).items():
            places = places_of(features, MODELS[model].cycle_share)
            for patient, heat, place in zip(
                features.table["patient_id"], heats, places, strict=True
            ):
                row = {"model": model, "method": method, "patient": str(patient)}
                rows.append(row | scores_of(heat, place, 0.5))
    return rows


def maps_by_method(fit: Fit, features: Any) -> dict[str, np.ndarray]:
    network, pictures = open_network(fit.model), pictures_for(fit.model, features, fit.ctx)
    made = {method: maps_of(network, pictures, method) for method in ("layer_cam", "grad_cam_pp")}
    return made | {"random_weights": maps_of(random_network(network, 0), pictures, "layer_cam")}


def where(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return means over the maps of each model and method, with an interval that draws patients."""
    found: dict[str, dict[str, Any]] = {}
    for key in dict.fromkeys((row["model"], row["method"]) for row in rows):
        maps = [row for row in rows if (row["model"], row["method"]) == key]
        maps = [row for row in maps if np.isfinite(row["enrichment"])]
        values = np.array([row["enrichment"] for row in maps])
        (mean,) = bootstrap_sums(
            np.column_stack([np.ones_like(values), values]),
            lambda sums: sums[..., 1:] / sums[..., :1],
            ("enrichment",),
            patient=[row["patient"] for row in maps],
        )
        found[" ".join(key)] = {
            "n": len(maps),
            "enrichment": mean.value, "low": mean.low, "high": mean.high,
            "twofold_pct": 100 * float(np.mean(values >= 2)),
            "pointing_pct": 100 * float(np.nanmean([row["pointing_hit"] for row in maps])),
            "distance_mm": float(np.nanmean([row["distance_mm"] for row in maps])),
        }  # fmt: skip
    return found


def make(kept: Path | None = None) -> None:
    """Run the seeds that are not stored yet, and store each as soon as it is done."""
    content = stored() or {"runs": [], "held_back_auc": {}, "where": {}}
    done = {(row["cohort"], row["model"], row["seed"]) for row in content["runs"]}
    todo = [
        (draw, cohort, model, seed)
        for (cohort, model), seeds in SEEDS.items()
        for draw, seed in seeds
        if (cohort, model, seed) not in done
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = kept or folder
        phantoms = made_of(
            "phantom_flash", kept / "phantoms", "train.draws=1", n_patients=N_PHANTOMS
        )
        made: dict[str, Made] = {}
        earlier: dict[tuple[str, Any], Path] = {}
        for draw, cohort, model, seed in sorted(todo, key=lambda item: item[0] or 0):
            if cohort not in made:
                made[cohort] = made_of(
                    "septal_flash", kept / cohort, n_patients=N_PATIENTS, difficulty=cohort
                )
            if model in NETWORKS and (model, draw) not in earlier:
                path, held_back = pretrained(model, draw, phantoms, folder)
                earlier[model, draw] = path
                content["held_back_auc"][f"{model} {draw}"] = round(held_back, 4)
            needs = {"phantom_flash": {name: earlier[name, draw] for name in NETWORKS
                                       if (name, draw) in earlier}}  # fmt: skip
            content["runs"].append(
                {"cohort": cohort, "model": model, "draw": draw, "seed": seed}
                | one_seed(model, seed, made[cohort], needs, folder / cohort)
            )
            if model in NETWORKS and (cohort, seed) == MAPPED:
                content["where"] |= where(score_maps(model, seed, made[cohort], folder / cohort))
            store(content, phantoms)
        if "clear" not in made:
            made["clear"] = made_of(
                "septal_flash", kept / "clear", n_patients=N_PATIENTS, difficulty="clear"
            )
        as_a_run = replace(phantoms, bench=bench_of("phantom_flash", kept / "phantoms"))
        content.setdefault("choices", [])
        for pretraining in list(CHOICES)[len(content["choices"]) :]:
            content["choices"].append(choice(pretraining, as_a_run, made["clear"], folder))
            store(content, phantoms)


def choice(pretraining: int, phantoms: Made, clear: Made, folder: Path) -> dict[str, Any]:
    """Pretrain the full M-mode as a run does; return losses, areas and maps of the fits after it.

    The losses are those on phantoms held back, one of each draw.
    """
    assert phantoms.bench.config.train.draws == 3
    everybody = np.ones(len(phantoms.features), bool)
    fit = phantoms.fit(FULL, everybody, pretraining, folder / f"chosen-{pretraining}", fold="final")
    (note,) = (note for note in fit.model.notes if note.kind == "draws")
    needs = {"phantom_flash": {FULL: fit.model.path}}
    after = folder / f"after-{pretraining}"
    seeds = CHOICES[pretraining]
    fits = [{"seed": seed} | one_seed(FULL, seed, clear, needs, after) for seed in seeds]
    return {
        "pretraining": pretraining,
        "losses": [float(loss) for loss in re.findall(r"\d\.\d{3}", note.text)],
        "fits": fits,
        "where": where(score_maps(FULL, seeds[0], clear, after)),
    }


def one_seed(
    model: str, seed: int, made: Made, needs: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Fit and score every fold of one seed."""
    scores = made.out_of_fold(model, folds_of(made, seed, N_FOLDS), seed, folder, _needs=needs)
    y, patients = made.y[made.original], made.patients[made.original]
    area = auc(y, scores, patient=patients)
    numbers = {"auc": area.value, "low": area.low, "high": area.high}
    return {name: round(float(value), 4) for name, value in numbers.items()} | {"n": len(y)}


def store(content: dict[str, Any], phantoms: Made) -> None:
    """Store what is done."""
    content |= {
        "made": datetime.now(UTC).date().isoformat(),
        "command": f"python -m plugins.mmode_septal_flash.tests.{Path(__file__).stem}",
        "cohorts": f"{N_PATIENTS} patients each, seed 0",
        "pretraining": f"{FITTED_SHARE:.0%} of {N_PHANTOMS} phantoms",
        "fit": {"pretraining": phantoms.bench.config.train.fit.model_dump(mode="json")},
        "summary": {
            f"{cohort} {model}": summary(content["runs"], cohort, model) for cohort, model in SEEDS
        },
        "chosen": chosen(content.get("choices", [])),
    }
    STORED.write_text(json.dumps(content, indent=1) + "\n")
    print((content.get("choices") or content["runs"])[-1], flush=True)  # noqa: T201


def summary(rows: list[dict[str, Any]], cohort: str, model: str) -> dict[str, Any]:
    """Return how many seeds and draws there are, the mean AUC and the lowest."""
    chosen = [row for row in rows if (row["cohort"], row["model"]) == (cohort, model)]
    if not chosen:
        return {"n_seeds": 0}
    areas = [row["auc"] for row in chosen]
    return {
        "n_seeds": len(chosen), "n_draws": len({row["draw"] for row in chosen}),
        "mean": round(float(np.mean(areas)), 4), "lowest": min(areas),
        "first": {name: chosen[0][name] for name in ("auc", "low", "high")},
    }  # fmt: skip


def chosen(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean AUC of the fits after all choices and the lowest, and of their maps."""
    if not rows:
        return {"n": 0}
    areas = [fit["auc"] for row in rows for fit in row["fits"]]
    maps = [row["where"][f"{FULL} layer_cam"] for row in rows]
    return {
        "n": len(areas), "mean": round(float(np.mean(areas)), 4), "lowest": min(areas),
        "enrichment": float(np.mean([one["enrichment"] for one in maps])),
        "enrichment_lowest": min(one["enrichment"] for one in maps),
        "twofold_pct_lowest": min(one["twofold_pct"] for one in maps),
    }  # fmt: skip


def stored() -> dict[str, Any]:
    """Return what is stored."""
    found: dict[str, Any] = json.loads(STORED.read_text()) if STORED.exists() else {}
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    lacking = len(stored().get("runs", ())) < sum(map(len, SEEDS.values()))
    if lacking or len(stored().get("choices", ())) < len(CHOICES):
        make()
    return stored()


def test_the_full_mmode_finds_clear_flashes_whatever_the_draw_of_its_pretraining(found):
    full = found["summary"][f"clear {FULL}"]
    assert (full["n_seeds"], full["n_draws"]) == (10, N_DRAWS)
    assert found["chosen"]["n"] == 10
    assert found["chosen"]["mean"] >= 0.97
    assert found["chosen"]["lowest"] >= 0.95


def test_the_crop_finds_clear_flashes_and_its_layer_cam_lies_on_them(found):
    assert found["summary"][f"clear {CROP}"]["lowest"] >= 0.97
    assert found["where"][f"{CROP} layer_cam"]["twofold_pct"] >= 80
    assert found["where"][f"{CROP} random_weights"]["enrichment"] == pytest.approx(1, abs=0.3)


def test_no_network_is_better_than_the_measurement_on_subtle_flashes(found):
    measured = found["summary"]["subtle excursion"]["mean"]
    assert all(found["summary"][f"subtle {model}"]["mean"] < measured for model in NETWORKS)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
