"""The learning curve of an echo finding: the same run with more and more training patients.

    python benchmarks/echo_learning_curve.py --task wma --patients 20 40 80 --out runs/curve

Every run has the same cohort, folds and tested patients; `train.max_patients` limits the fits to
nested subsets of the training patients, of which each stratum of the first target has its share.
Views are named once, by the task `view` on all patients (or by the cohort table, with `--set
load.views=table --set needs.view.skip=true`), and fusion weights come from the inner predictions of
all training patients. Writes the table, the gains of each step on the same tested patients, and the
figure; a run that is finished is not repeated.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run
from cardio_echo_cmr.drawing.results import learning_figure
from cardio_echo_cmr.results import curve_table, gains
from cardio_stats.figures import save_svg

SKIP = "needs.view.skip=true"


def main() -> None:
    """Run every size that is not there yet, then draw what came of all of them."""
    asked = _arguments()
    request = RunRequest(
        plugin="echo_cmr", task=asked.task, data=tuple(asked.data), config=asked.config,
        sets=tuple(asked.set), protocol="honest", seed=asked.seed, device=asked.device,
    )  # fmt: skip
    if SKIP not in asked.set:
        views = asked.views or asked.out / "view"
        if asked.views is None:
            _finished(replace(request, task="view", sets=(), out=views))
        request = replace(request, needs_from={"view": views})
    runs = []
    for size in [*sorted(asked.patients), None]:
        limit = f"train.max_patients={'null' if size is None else size}"
        name = "patients-all" if size is None else f"patients-{size}"
        runs.append(asked.out / name)
        _finished(replace(request, sets=(*request.sets, limit), out=runs[-1]))
    target = asked.target or asked.task
    table = curve_table(runs, target)
    steps = gains(runs, target)
    table.to_csv(asked.out / "learning-curve.csv", index=False, float_format="%.4f")
    steps.to_csv(asked.out / "learning-gains.csv", index=False, float_format="%.4f")
    save_svg(learning_figure(table, y=f"AUC of {target}"), asked.out / "learning-curve.svg")
    print(table.to_string(index=False), steps.to_string(index=False), sep="\n\n")


def _finished(request: RunRequest) -> None:
    assert request.out is not None
    there = (request.out / "manifest.json").is_file()
    if not (request.out / "metrics.json").is_file():
        run(replace(request, resume=there), print)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--task", default="wma")
    parser.add_argument("--target", help="a binary target of the task; its name if not given")
    parser.add_argument("--patients", type=int, nargs="+", required=True, metavar="N")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="as cardio run takes it")
    parser.add_argument("--config", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=V")
    parser.add_argument("--views", type=Path, help="a finished run of task view")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
