"""What each hand-set number of the delineation, the P wave and the rhythm is worth.

    python benchmarks/ecg_constants.py --data $CARDIO_DATA --json ecg_constants.json

Each number of these modules is made a quarter larger and a fifth smaller, one at a time; LUDB's
records 1 to 100 and every ninth ECG of PTB-XL are measured again. What it is worth is the larger
loss: of the SD of an error (QRS onset and end, PR, QT, in ms; LUDB), or in PR intervals that are
given or not where the rhythm says otherwise (both). Positive: the number is well chosen; near 0:
nothing depends on it here; negative: another would be better on these. Records and patients with an
odd number fitted the weights and chose most of the numbers; the even ones are given beside them.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from ecg_limits import middle
from ecg_ludb import marks_at, read

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal import rhythm
from cardio_ecg_transfer.signal.delineation import limits
from cardio_ecg_transfer.signal.delineation import limits as all_limits
from cardio_ecg_transfer.signal.delineation import median_beat as beats
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.pacing import Pacing, beats_without_spikes, locked_spikes
from cardio_ecg_transfer.signal.rpeaks import at_working_rate

HOME = "cardio_ecg_transfer.signal"
MODULES = (
    "delineation.median_beat", "delineation.qrs_bounds", "delineation.limit_features",
    "delineation.p_and_t", "delineation.p_locked", "rhythm",
)  # fmt: skip
FITTED = {"WEIGHTS", "LOWEST", "HIGHEST"}
FACTORS = (0.8, 1.25)
ERRORS = ("QRS onset", "QRS end", "PR", "QT")
NOTHING = 0.05  # ms of SD, and no PR interval


def constants(module: ModuleType) -> Iterator[tuple[str, int | None]]:
    """Yield the numbers of a module that are set by hand; of a pair each, by its place."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                if not isinstance(name, ast.Name) or name.id in FITTED:
                    continue
                value = getattr(module, name.id)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    yield name.id, None
                elif isinstance(value, tuple) and all(isinstance(v, (int, float)) for v in value):
                    yield from ((name.id, place) for place in range(len(value)))


Row = tuple[np.ndarray, np.ndarray, Pacing, dict[str, float], bool]
NO_MARKS = dict.fromkeys(("qrs_on", "qrs_off", "pr", "qt"), float("nan"))


class Recordings:
    """What is measured, read once, and what people say of it."""

    def __init__(self, folder: Path) -> None:
        rhythms = pd.read_csv(folder / "ludb" / "ludb.csv").set_index("ID")["Rhythms"].str.lower()
        self.rows: list[Row] = []
        odd = []
        for record in range(1, 101):
            ready = self._ready(read(folder / "ludb", record))
            human = middle(marks_at(folder / "ludb", record, ready[1] / 0.36))
            has_p = np.isfinite(human["pr"]) and "atrial f" not in rhythms[record]
            self.rows.append((*ready, human, has_p))
            odd.append(record % 2 == 1)
        for row in pd.read_csv(folder / "ptbxl" / "ptbxl_database.csv").itertuples():
            path, codes = (
                folder / "ptbxl" / f"{row.filename_hr}.hea",
                ast.literal_eval(row.scp_codes),
            )
            known = {"SR", "AFIB", "AFLT"} & set(codes)
            if path.exists() and row.ecg_id % 9 == 0 and known:
                self.rows.append((*self._ready(read_ecg(path)), NO_MARKS, "SR" in known))
                odd.append(int(row.patient_id) % 2 == 1)
        self.odd = np.array(odd)
        self._beats: list[MedianBeat | None] = []

    @staticmethod
    def _ready(ecg: Ecg) -> tuple[np.ndarray, np.ndarray, Pacing]:
        bridged, peaks, pacing = beats_without_spikes(ecg)
        signal_mv, r_samples = at_working_rate(bridged, peaks)
        return signal_mv, r_samples, pacing

    def measured(self, *, cut_again: bool = True) -> np.ndarray:
        """Return errors in ms and whether PR is given wrongly, (n_records, 5); NaN: none."""
        if cut_again:
            self._beats = [self._beat(*row[:3]) for row in self.rows]
        return np.array([self._one(*row) for row in zip(self._beats, self.rows, strict=True)])

    @staticmethod
    def _beat(signal_mv: np.ndarray, r_samples: np.ndarray, pacing: Pacing) -> MedianBeat | None:
        try:
            beat = beats.median_beat(signal_mv, 360.0, r_samples, STANDARD_LEADS)
        except DataError:
            return None
        spikes = locked_spikes(pacing.times_s, beat.r_samples / beat.rate_hz).before_r_ms
        return replace(beat, spikes_ms=tuple(-at_ms for at_ms in spikes))

    @staticmethod
    def _one(beat: MedianBeat | None, row: Row) -> list[float]:
        signal_mv, r_samples, _, human, has_p = row
        try:
            found = None if beat is None else all_limits.find_limits(beat, by_lead=False)
        except DataError:
            found = None
        if beat is None or found is None:
            return [np.nan] * 4 + [float(has_p)]
        qrs, p_wave, t_wave = found.qrs, found.p_wave, found.t_wave
        lock = None
        if p_wave is not None:
            lock = limits.p_locking(signal_mv, beat, qrs, p_wave, r_samples)
        atrial = rhythm.atrial_waves(signal_mv, beat, found, lock, r_samples)
        given = lock is not None and lock.locked and not atrial.doubts_p
        pr = qrs.on_ms - p_wave.on_ms - human["pr"] if given and p_wave is not None else np.nan
        qt = np.nan if t_wave is None else t_wave.off_ms - qrs.on_ms - human["qt"]
        limits_ms = [qrs.on_ms - human["qrs_on"], qrs.off_ms - human["qrs_off"]]
        return [*limits_ms, pr, qt, float(given != has_p)]


def summary(table: np.ndarray) -> np.ndarray:
    """Return the SD of each error, and how many PR intervals are given or withheld wrongly."""
    return np.append(np.nanstd(table[:, :4], axis=0, ddof=1), table[:, 4].sum())


def by_module(rows: list[dict[str, object]]) -> dict[str, dict[str, str]]:
    """Return how many numbers each module has, how many decide nothing, and the weightiest."""
    made = {}
    for short in MODULES:
        own = [row for row in rows if row["module"] == short]
        worth = {
            str(row["name"]): max(abs(float(str(row[f"{half}, {what}"])))
                                  for half in ("odd", "even") for what in (*ERRORS, "wrong PR"))
            for row in own
        }  # fmt: skip
        most = sorted(worth, key=lambda name: -worth[name])[:3]
        made[short] = {
            "numbers": str(len(own)),
            "decide nothing": str(sum(value < NOTHING for value in worth.values())),
            "weightiest": ", ".join(f"{name} {worth[name]:.1f}" for name in most),
        }
    return made


def main() -> None:
    """Vary every number, and print or write what each is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with ludb and ptbxl")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", choices=MODULES, help="modules; all of them otherwise")
    given = parser.parse_args()
    all_of_them = Recordings(given.data)
    odd = all_of_them.odd
    table = all_of_them.measured()
    base = {half: summary(table[rows]) for half, rows in (("odd", odd), ("even", ~odd))}
    made = []
    for short in given.only or MODULES:
        module = import_module(f"{HOME}.{short}")
        if module is not beats:
            all_of_them.measured()
        for name, place in constants(module):
            own = getattr(module, name)
            losses = {"odd": [], "even": []}  # type: dict[str, list[np.ndarray]]
            for factor in FACTORS:  # with beats that the numbers as they are have cut
                value = own if place is None else own[place]
                new = (
                    type(value)(round(value * factor)) if isinstance(value, int) else value * factor
                )
                changed = new if place is None else (*own[:place], new, *own[place + 1 :])
                setattr(module, name, changed)
                try:
                    table = all_of_them.measured(cut_again=module is beats)
                finally:
                    setattr(module, name, own)
                for half, rows in (("odd", odd), ("even", ~odd)):
                    losses[half].append(summary(table[rows]) - base[half])
            row = {"module": short, "name": name if place is None else f"{name}[{place}]",
                   "value": own if place is None else own[place]}  # fmt: skip
            for half, both in losses.items():
                worst = np.max(both, axis=0)
                names = (f"{half}, {what}" for what in (*ERRORS, "wrong PR"))
                row |= dict(zip(names, worst.round(2).tolist(), strict=True))
            made.append(row)
            print(row, file=sys.stderr, flush=True)
    as_they_are = {
        half: dict(zip((*ERRORS, "wrong PR"), own.round(2).tolist(), strict=True))
        for half, own in base.items()
    }
    result = {"as they are": as_they_are, "by module": by_module(made), "constants": made}
    text = json.dumps(result, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
