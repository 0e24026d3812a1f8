"""What each measurement of a beat is worth to the model `evidence`, leaving one record out of DS1.

    python benchmarks/ecg_columns.py --data $CARDIO_DATA/mitdb --json ecg_columns.json

For every record of DS1 the model is fitted on the other 21 and judged on it, with R peaks as they
are detected. Then each column is replaced by the record's median, one at a time (of what each lead
has, all leads at once): what is lost is its worth, in log loss a beat (S against N; V
against N and S; each class weighs one half) and in beats found. Sensitivity and predictivity of S
stand beside it, over the log odds taken off (`shift_s`), all records and without the one that has
most.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from cardio_ecg_transfer.beats import evidence as evidence
from cardio_ecg_transfer.beats.config import EvidenceBlock
from cardio_ecg_transfer.beats.evidence import EXPERTS, Trees, chosen_columns
from cardio_ecg_transfer.beats.load import beat_events
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.ectopy.evidence import beat_evidence
from cardio_ecg_transfer.signal.pacing import beats_without_spikes
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rpeaks import at_working_rate

DS1 = [
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
]  # fmt: skip
TOLERANCE_S = 0.15
SHIFTS = (-1.0, -0.5, 0.0, 0.5, 0.85, 1.5, 2.5)
SETTINGS = EvidenceBlock()
Record = dict[str, np.ndarray]


class Draws:
    """The streams of chance that a run's context would give."""

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator by name."""
        return np.random.default_rng(self.seed_of(name))

    def seed_of(self, name: str) -> int:
        """Return a seed by name."""
        return sum(map(ord, name))


def described(path: Path) -> Record:
    """Return a record's evidence by column, its beats' classes, and the classes nobody detected."""
    events, _ = beat_events(path, path.stem)
    ecg, peaks, _ = beats_without_spikes(check_recording(read_ecg(path)).ecg)
    signal_mv, r_samples = at_working_rate(ecg, peaks)
    times_s, classes = events["time_s"].to_numpy(), events["aami_class"].to_numpy(str)
    label = np.full(r_samples.size, "-")
    missed = np.ones(times_s.size, bool)
    for beat, time_s in enumerate(r_samples / 360.0):
        nearest = int(np.abs(times_s - time_s).argmin())
        if missed[nearest] and abs(times_s[nearest] - time_s) <= TOLERANCE_S:
            label[beat], missed[nearest] = classes[nearest], False
    made = beat_evidence(signal_mv[:2], r_samples, 360.0)
    return made | {"label": label, "missed": classes[missed]}


def fitted(records: dict[str, Record], names: list[str]) -> dict[str, Trees]:
    """Fit the experts on these records."""
    draws = Draws()
    values = np.concatenate([table(one, names) for one in records.values()])
    label = np.concatenate([one["label"] for one in records.values()])
    patient = np.repeat(list(records), [one["label"].size for one in records.values()])
    planted = evidence._planted(names, SETTINGS, draws)  # type: ignore[arg-type]
    beats = label != "-"
    made = {}
    for name, expert in EXPERTS.items():
        given = (values[beats], label[beats], patient[beats])
        parts = [evidence._rows(expert, *given, SETTINGS, draws.rng(name))]
        shares: tuple[float, ...] = (1.0,)
        if expert.planted and planted is not None:
            parts.append(evidence._rows(expert, *planted, SETTINGS, draws.rng(f"{name}p")))
            shares = (1 - SETTINGS.planted_share, SETTINGS.planted_share)
        made[name] = evidence._fit(expert, names, parts, shares, SETTINGS, draws.seed_of(name))
    return made


def table(record: Record, names: list[str]) -> np.ndarray:
    """Return a record's evidence, (n_beats, n_columns)."""
    return np.stack([record[name] for name in names], axis=1).astype(np.float64)


def logits(
    trees: dict[str, Trees], values: np.ndarray, names: list[str], experts: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return what these experts say of each beat."""
    return {
        name: trees[name].logit(values[:, chosen_columns(names, EXPERTS[name].columns)])
        for name in experts
    }


def odds(made: dict[str, np.ndarray]) -> np.ndarray:
    """Return the log odds of S and of V, (n_beats, 2)."""
    early = np.minimum(made["rhythm"], made["rhythm_and_p"])
    return np.stack([early, made["ventricular"]], axis=1)


def losses(found: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Return log losses, S against N and V against both, each class one half; and beats found."""
    made = {}
    for place, (name, others) in enumerate({"S": ("N",), "V": ("N", "S")}.items()):
        parts = [np.logaddexp(0.0, -found[label == name, place]),
                 np.logaddexp(0.0, found[np.isin(label, others), place])]  # fmt: skip
        made[f"loss {name}"] = float(np.mean([part.mean() for part in parts]))
    called = np.where(found[:, 1] > 0, "V", np.where(found[:, 0] > SETTINGS.shift_s, "S", "N"))
    return made | {f"{name} found": int(((called == name) & (label == name)).sum())
                   for name in "SV"}  # fmt: skip


def rates(found: np.ndarray, label: np.ndarray, n_missed: int, shift: float) -> dict[str, float]:
    """Return sensitivity and predictivity of S where so much is taken off its log odds."""
    called = (found[:, 1] <= 0) & (found[:, 0] > shift)
    right = int((called & (label == "S")).sum())
    return {"Se": round(right / (int((label == "S").sum()) + n_missed), 3),
            "+P": round(right / max(1, int(called.sum())), 3)}  # fmt: skip


def main() -> None:
    """Fit 22 times, leave out every column, and print or write what each is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    records = {name: described(given.data / f"{name}.hea") for name in DS1}
    names = [name for name in records[DS1[0]] if name not in ("label", "missed")]
    kinds = sorted({name.partition(":")[0] for name in names})
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in ("", *kinds)}
    for name, own in records.items():
        trees = fitted({other: one for other, one in records.items() if other != name}, names)
        values = table(own, names)
        usual = np.median(values, axis=0)
        whole_logits = logits(trees, values, names, tuple(EXPERTS))
        for kind, made in found.items():
            changed = values.copy()
            columns = [k for k, column in enumerate(names) if column.partition(":")[0] == kind]
            changed[:, columns] = usual[columns]
            seeing = tuple(one for one, expert in EXPERTS.items() if kind in expert.columns)
            made.append(odds(whole_logits | logits(trees, changed, names, seeing)))
        print(name, file=sys.stderr, flush=True)
    label = np.concatenate([one["label"] for one in records.values()])
    whole = losses(np.concatenate(found[""]), label)
    worth = {}
    for kind in kinds:
        less = losses(np.concatenate(found[kind]), label)
        worth[kind] = {what: round(less[what] - whole[what], 4) for what in whole}
    most = max(records, key=lambda name: int((records[name]["label"] == "S").sum()))
    by_shift = {}
    for shift in SHIFTS:
        row = {}
        for words, chosen in (("all", DS1), (f"without {most}", [n for n in DS1 if n != most])):
            kept = np.concatenate([found[""][DS1.index(name)] for name in chosen])
            of = np.concatenate([records[name]["label"] for name in chosen])
            lost = sum(int((records[name]["missed"] == "S").sum()) for name in chosen)
            row[words] = rates(kept, of, lost, shift)
        by_shift[f"{shift:g}"] = row
    by_record = {
        name: losses(made, records[name]["label"])["S found"]
        for name, made in zip(DS1, found[""], strict=True)
        if (records[name]["label"] == "S").any()
    }
    text = json.dumps(
        {"as it is": {key: round(value, 4) for key, value in whole.items()}, "S by shift": by_shift,
         "S found by record": {name: [n, int((records[name]["label"] == "S").sum())]
                               for name, n in by_record.items()},
         "lost without": dict(sorted(worth.items(), key=lambda pair: -pair[1]["loss S"]))},
        indent=1,
    )  # fmt: skip
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
