"""Planted shifts: whom `cardio predict` finds unlike the patients of training, and whom wrongly.

    python benchmarks/applicability.py --plugin ecg_transfer --train 80 --new 60 --json FILE

Makes a synthetic cohort, trains on it at smoke sizes (``--set`` changes them), and predicts new
patients of another seed: as they are (false alarms), and each with its recordings amplified, with
noise added, from a hospital or scanner that training did not see, or of another age. Prints a table
in Markdown: shares outside, and outside or borderline, with Wilson's interval, and how much the
primary model's first score changes on average; FILE holds its cells. ``--out OUT`` keeps what is
made and uses what is there.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from cardio_core.runner import answers as answering
from cardio_core.runner.prepare import UnusableCohortError
from cardio_core.testing import call_cardio

Change = Callable[[Any, np.random.Generator], Any]


@dataclass(frozen=True)
class Shift:
    """One planted shift: of the recording, or of a column of the cohort table."""

    name: str
    change: Change | None = None
    column: str = ""
    value: object = None


def of_array(name: str, make: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Change:
    """Change one array of a recording."""

    def change(recording: Any, rng: np.random.Generator) -> Any:
        old = getattr(recording, name)
        return replace(recording, **{name: make(old, rng).astype(old.dtype)})

    return change


def gain(name: str, factor: float) -> Change:
    """Multiply."""
    return of_array(name, lambda old, _: old * factor)


def noise_mv(sd: float) -> Change:
    """Add white noise to every lead."""
    return of_array("signal_mv", lambda old, rng: old + rng.normal(0, sd, old.shape))


def noise_of_counts(share: float) -> Change:
    """Add noise of a share of the brightest voxel; counts stay 0 or more."""
    return of_array(
        "counts",
        lambda old, rng: np.maximum(old + rng.normal(0, share * old.max(), old.shape), 0),
    )


AGES = tuple(Shift(f"age {age} years", column="age_y", value=age) for age in (80, 90, 100, 30))

SHIFTS: dict[str, tuple[Shift, ...]] = {
    "ecg_transfer": (
        *(Shift(f"gain {g:g}", gain("signal_mv", g)) for g in (0.25, 0.5, 2, 4)),
        *(Shift(f"noise {sd:g} mV", noise_mv(sd)) for sd in (0.01, 0.03, 0.1, 0.3)),
        Shift("hospital unseen", column="site_id", value="east"),
        *AGES,
    ),
    "spect_polar": (
        *(Shift(f"gain {g:g}", gain("counts", g)) for g in (0.1, 0.5, 2, 10)),
        *(
            Shift(f"noise {100 * s:g} % of the maximum", noise_of_counts(s))
            for s in (0.02, 0.05, 0.1, 0.2)
        ),
        Shift("scanner unseen", column="scanner_id", value="east-9"),
        *AGES,
    ),
}
SETS = {
    "ecg_transfer": ("models=[scratch]", "primary=scratch"),
    "spect_polar": (),
}


class Changed(Sequence[Any]):
    """Recordings that are changed when they are opened, each in its own way every time."""

    def __init__(self, values: Any, change: Change, places: Sequence[int] | None = None) -> None:
        self._values, self._change = values, change
        self._places = list(range(len(values)) if places is None else places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, int | np.integer):
            place = self._places[int(position)]
            return self._change(self._values[place], np.random.default_rng(place))
        chosen = np.asarray(self._places)[position]
        return Changed(self._values, self._change, [int(one) for one in chosen])


def cardio(*words: object) -> None:
    """Run a command; what goes wrong ends this program."""
    said = call_cardio(*words)
    if said.exit_code:
        raise SystemExit(said.stderr)


def make(
    out: Path, plugin: str, n_train: int, n_new: int, sets: Sequence[str], new_seed: int = 1
) -> None:
    """Make both cohorts and the run, unless they are there."""
    for name, n, seed in (("train", n_train, 0), ("new", n_new, new_seed)):
        if not (out / name).exists():
            words = ("--task", "crt_response", "--patients", n, "--seed", seed)
            cardio("data", "synth", plugin, *words, "--out", out / name)
    if not (out / "run" / "report.html").exists():
        asked = ("explain.n_cases=0", "evaluate.n_resamples=100", *SETS[plugin], *sets)
        more = [word for one in asked for word in ("--set", one)]
        cardio(
            "run", "--plugin", plugin, "--data", out / "train", "--config", "smoke", *more,
            "--protocol", "honest", "--device", "cpu", "--out", out / "run",
        )  # fmt: skip


def predicted(out: Path, shift: Shift) -> tuple[pd.DataFrame, pd.Series]:
    """Return what is judged of the new patients, and the primary model's first score of each."""
    with TemporaryDirectory() as place:
        new = out / "new"
        if shift.column:
            new = Path(place) / "new"
            shutil.copytree(out / "new", new, symlinks=True)
            table = pd.read_csv(new / "cohort.csv", dtype=str, keep_default_na=False)
            table[shift.column] = str(shift.value)
            table.to_csv(new / "cohort.csv", index=False)
        # Where only the table differs, what was measured of the recordings is the same.
        kept = out / "features" if shift.change is None else Path(place) / "features"
        opened = answering.open_finished(out / "run", device="cpu", features_in=kept)
        with recordings_changed(shift.change):
            made = answering.answer(opened, (new,))
    primary = opened.manifest["primary"]
    target = opened.task.targets_of(primary)[0]
    frame = made.frames[target.name][primary].set_index("patient_id")
    column = "score" if target.kind == "continuous" else f"score:{target.classes[-1]}"
    return made.applicability.set_index("patient_id"), frame[column].groupby(level=0).mean()


class recordings_changed:  # noqa: N801 - it reads as words
    """Let `answer` find recordings that are changed when they are opened."""

    def __init__(self, change: Change | None) -> None:
        self._change, self._before = change, answering.find_recordings

    def __enter__(self) -> None:
        def find(*words: Any, **more: Any) -> Any:
            found = self._before(*words, **more)
            if self._change is None:
                return found
            samples = found.cohort.samples
            samples = replace(samples, values=Changed(samples.values, self._change))
            return replace(found, cohort=replace(found.cohort, samples=samples))

        answering.find_recordings = find  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        answering.find_recordings = self._before


def rows(out: Path, plugin: str, *, shifts: bool = True) -> Iterator[dict[str, Any]]:
    """Yield a row a shift; the first is of patients as they are."""
    _, before = predicted(out, Shift("none"))
    for shift in (Shift("none"), *(SHIFTS[plugin] if shifts else ())):
        try:
            judged, after = predicted(out, shift)
        except UnusableCohortError as error:
            yield {"shift": shift.name, "n": 0, "example": f"none can be used: {error}"}
            continue
        n = len(judged)
        said = judged["reasons"][judged["verdict"] != "inside"]
        yield {
            "shift": shift.name,
            "n": n,
            "outside": int((judged["verdict"] == "outside").sum()),
            "not_inside": int((judged["verdict"] != "inside").sum()),
            "change": round(float((after - before).abs().mean()), 4),
            "example": said.iloc[0] if len(said) else "",
        }


def share(count: int, n: int) -> str:
    """Return a share with Wilson's 95 % interval."""
    low, high = proportion_confint(count, n, method="wilson")
    return f"{count}/{n} ({100 * low:.0f} to {100 * high:.0f} %)"


def main() -> None:
    """Make what is missing, print the table and store its cells."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--plugin", choices=sorted(SHIFTS), required=True)
    parser.add_argument("--train", type=int, default=80)
    parser.add_argument("--new", type=int, default=60)
    parser.add_argument("--new-seed", type=int, default=1)
    parser.add_argument("--no-shifts", action="store_true", help="count false alarms alone")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    request = parser.parse_args()
    print("| shift | outside | outside or borderline | change of the score | first reason |")
    print("|---|---|---|---|---|")
    stored = {}
    with TemporaryDirectory() as place:
        out = request.out or Path(place)
        make(out, request.plugin, request.train, request.new, request.sets, request.new_seed)
        for row in rows(out, request.plugin, shifts=not request.no_shifts):
            cells = dict.fromkeys(("outside", "not_inside", "change"), "")
            if row["n"]:
                cells = {name: share(row[name], row["n"]) for name in ("outside", "not_inside")}
                cells["change"] = f"{row['change']:.3f}"
            stored[row["shift"]] = cells
            line = " | ".join((row["shift"], *cells.values(), row["example"]))
            print(f"| {line} |", flush=True)
    if request.json is not None:
        request.json.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
