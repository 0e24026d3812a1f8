"""What each hand-set number of the delineation, the rhythm and the lead exchanges is worth.

    python benchmarks/ecg_constants.py --data $CARDIO_DATA --json ecg_constants.json

With ``--resume`` the numbers that the file has at their present values are kept, if all losses
without a change are as it says; numbers that are gone leave it.

Each named number of these modules is made a quarter larger and a fifth smaller, one by one. Every
third LUDB record and every 27th ECG of PTB-XL are measured again, from the stage that holds the
number on, with the flutter score as it was where only limits change; of six ECGs of PTB-XL every
exchange is made on their median beats. A number's worth is the larger loss: of the SD of an error
(QRS onset and end, PR, QT, in ms), in PR intervals that are given or not where the rhythm says
otherwise, in exchanges that are missed or invented. Positive: well chosen; near 0: nothing depends
on it here; negative: another value is better on these. Fitted weights stay as they are.

The numbers of `ectopy` (but those of the made rhythms) are varied on the first ten minutes of DS1's
records: the model `evidence` is fitted on every other record and judged on the rest, and the other
way round. Losses are log losses a beat, as in ``ecg_columns.py``.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import ecg_columns
import numpy as np
import pandas as pd
from ecg_limits import middle
from ecg_ludb import marks_at, read

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal import rhythm
from cardio_ecg_transfer.signal.delineation import limits, median_beat, qrs
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.ectopy import evidence, p_waves, shapes
from cardio_ecg_transfer.signal.leads import exchanges
from cardio_ecg_transfer.signal.leads.names import INDEPENDENT_LEADS, STANDARD_LEADS
from cardio_ecg_transfer.signal.pacing import Pacing, beats_without_spikes, locked_spikes
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rpeaks import at_working_rate

STAGES = (median_beat, qrs, limits, rhythm)
MODULES = (*STAGES, exchanges)
FACTORS = (0.8, 1.25)
LOSSES = ("QRS onset", "QRS end", "PR", "QT", "wrong PR", "wrong exchange")
NOTHING = 0.05  # ms of SD, and no PR interval or exchange

ECTOPY = (evidence, p_waves, shapes)
ECTOPY_LOSSES = ("loss S", "loss V")
BEATS_S = 600.0
ECTOPY_NOTHING = 0.01

Place = int | tuple[str, int] | None


def constants(module: ModuleType) -> Iterator[tuple[str, Place]]:
    """Yield the numbers of a module that are set by hand; of a pair each, by its place."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                if not isinstance(name, ast.Name):
                    continue
                value = getattr(module, name.id)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    yield name.id, None
                elif isinstance(value, tuple) and all(isinstance(v, (int, float)) for v in value):
                    yield from ((name.id, place) for place in range(len(value)))
                elif isinstance(value, dict) and all(isinstance(v, tuple) for v in value.values()):
                    yield from (
                        (name.id, (key, n)) for key in value for n in range(len(value[key]))
                    )


def at_place(own: Any, place: Place) -> tuple[float, str]:
    """Return one number of a constant, and what stands behind its name."""
    if place is None:
        return own, ""
    if isinstance(place, int):
        return own[place], f"[{place}]"
    return own[place[0]][place[1]], f".{place[0]}[{place[1]}]"


def with_number(own: Any, place: Place, new: float) -> Any:
    """Return a constant of which one number is another."""
    if place is None:
        return new
    if isinstance(place, int):
        return (*own[:place], new, *own[place + 1 :])
    return own | {place[0]: with_number(own[place[0]], place[1], new)}


@dataclass
class Row:
    """A recording, what people say of it, and what the stages made of it."""

    signal_mv: np.ndarray
    r_samples: np.ndarray
    pacing: Pacing
    human: dict[str, float]
    has_p: bool
    beat: MedianBeat | None = None
    bounds: qrs.QrsBounds | None = None
    found: limits.Limits | None = None
    lock: limits.Locking | None = None
    doubts_p: bool = False

    def measured(self, first: int, last: int) -> np.ndarray:
        """Go through these stages again; errors in ms, and whether PR is given wrongly."""
        try:
            if first == 0:
                self.beat = self._cut()
            if first <= 1:
                self.bounds = qrs.delineate_qrs(self.beat)
            if first <= 2:
                t_wave = limits.find_t(self.beat, self.bounds)
                p_wave = limits.find_p(self.beat, self.bounds, t_wave)
                self.found = limits.Limits(self.bounds, p_wave, t_wave)
                self.lock = None
                if p_wave is not None:
                    self.lock = limits.p_locking(
                        self.signal_mv, self.beat, self.bounds, p_wave, self.r_samples
                    )
            if last == 3:
                self.doubts_p = rhythm.atrial_waves(
                    self.signal_mv, self.beat, self.found, self.lock, self.r_samples
                ).doubts_p
        except DataError:
            return np.array([*[np.nan] * 4, float(self.has_p)])
        bounds, p_wave, t_wave = self.bounds, self.found.p_wave, self.found.t_wave
        given = self.lock is not None and self.lock.locked and not self.doubts_p
        pr = bounds.on_ms - p_wave.on_ms - self.human["pr"] if given else np.nan
        qt = np.nan if t_wave is None else t_wave.off_ms - bounds.on_ms - self.human["qt"]
        on_ms, off_ms = bounds.on_ms - self.human["qrs_on"], bounds.off_ms - self.human["qrs_off"]
        return np.array([on_ms, off_ms, pr, qt, float(given != self.has_p)])

    def _cut(self) -> MedianBeat:
        beat = median_beat.median_beat(self.signal_mv, 360.0, self.r_samples, STANDARD_LEADS)
        spikes = locked_spikes(self.pacing.times_s, beat.r_samples / beat.rate_hz).before_r_ms
        return replace(beat, spikes_ms=tuple(-at_ms for at_ms in spikes))


def _row(ecg: Ecg, has_p: bool, human: dict[str, float]) -> Row:
    bridged, peaks, pacing = beats_without_spikes(ecg)
    return Row(*at_working_rate(bridged, peaks), pacing, human, has_p)


def recordings(folder: Path) -> list[Row]:
    """Read what is measured."""
    rhythms = pd.read_csv(folder / "ludb" / "ludb.csv").set_index("ID")["Rhythms"].str.lower()
    rows = []
    for record in range(1, 101, 3):
        made = _row(read(folder / "ludb", record), False, {})
        made.human = middle(marks_at(folder / "ludb", record, made.r_samples / 0.36))
        made.has_p = np.isfinite(made.human["pr"]) and "atrial f" not in rhythms[record]
        rows.append(made)
    unmarked = dict.fromkeys(("qrs_on", "qrs_off", "pr", "qt"), np.nan)
    for given in pd.read_csv(folder / "ptbxl" / "ptbxl_database.csv").itertuples():
        path = folder / "ptbxl" / f"{given.filename_hr}.hea"
        known = {"SR", "AFIB", "AFLT"} & set(ast.literal_eval(given.scp_codes))
        if path.exists() and given.ecg_id % 27 == 0 and known:
            rows.append(_row(read_ecg(path), "SR" in known, unmarked))
    return rows


def wrong_exchanges(beats: list[MedianBeat]) -> int:
    """Count exchanges that are not found, and beats as recorded that are accused."""
    wrong = 0
    for beat in beats:
        wrong += bool(exchanges.find_exchanges(beat))
        for mistake in exchanges.mistakes():
            rows = np.float32(mistake.made @ beat.signal_mv)
            wrong += not exchanges.find_exchanges(replace(beat, signal_mv=rows))
    return wrong


def losses(
    rows: list[Row], beats: list[MedianBeat], module: ModuleType, base: np.ndarray
) -> np.ndarray:
    """Return the SD of each error, wrong PR intervals and wrong exchanges; `base` where unmoved."""
    if module is exchanges:
        return np.append(base[:5], wrong_exchanges(beats))
    first = STAGES.index(module)
    table = np.array([row.measured(first, 3 if first in (0, 3) else 2) for row in rows])
    return np.array([*np.nanstd(table[:, :4], axis=0, ddof=1), table[:, 4].sum(), base[5]])


def by_module(
    made: list[dict[str, object]], losses_of: tuple[str, ...], nothing: float, digits: int
) -> dict[str, dict[str, str]]:
    """Return how many numbers each module has, how many decide nothing, and the weightiest.

    None is a number without which, or with much more of which, nothing can be measured.
    """
    summary = {}
    for short in dict.fromkeys(str(row["module"]) for row in made):
        worth = {
            str(row["name"]): max(
                np.inf if row[what] is None else abs(float(str(row[what])))
                for what in losses_of if what in row
            )
            for row in made if row["module"] == short
        }  # fmt: skip
        most = sorted(worth, key=lambda name: -worth[name] if worth[name] < np.inf else 0.0)[:3]
        summary[short] = {
            "numbers": str(len(worth)),
            "decide nothing": str(sum(value < nothing for value in worth.values())),
            "weightiest": ", ".join(f"`{name}` {worth[name]:.{digits}f}" for name in most),
        }
    return summary


def beats_of_records(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return two leads, R peaks and classes of the first minutes of DS1's records."""
    made = {}
    for name in ecg_columns.DS1:
        path = folder / f"{name}.hea"
        label = ecg_columns.described(path)["label"]
        ecg, peaks, _ = beats_without_spikes(check_recording(read_ecg(path)).ecg)
        signal_mv, r_samples = at_working_rate(ecg, peaks)
        last = round(BEATS_S * 360.0)
        early = r_samples < last
        made[name] = signal_mv[:2, :last], r_samples[early], label[early]
    return made


def columns_of(beats: dict[str, tuple[np.ndarray, ...]]) -> dict[str, ecg_columns.Record]:
    """Measure every beat."""
    return {
        name: evidence.beat_evidence(signal_mv, r_samples, 360.0) | {"label": label}
        for name, (signal_mv, r_samples, label) in beats.items()
    }


def judged_by(
    halves: list[dict[str, ecg_columns.Trees]], records: dict[str, ecg_columns.Record]
) -> np.ndarray:
    """Return the losses of S and V, each record by the trees that did not see it."""
    names = [name for name in records[ecg_columns.DS1[0]] if name != "label"]
    found, labels = [], []
    for place, name in enumerate(ecg_columns.DS1):
        values = ecg_columns.table(records[name], names)
        logits = ecg_columns.logits(
            halves[1 - place % 2], values, names, tuple(ecg_columns.EXPERTS)
        )
        found.append(ecg_columns.odds(logits))
        labels.append(records[name]["label"])
    made = ecg_columns.losses(np.concatenate(found), np.concatenate(labels))
    return np.array([made[what] for what in ECTOPY_LOSSES])


def of_ectopy(folder: Path) -> dict[str, object]:
    """Vary every number of `ectopy`."""
    beats = beats_of_records(folder)
    usual = columns_of(beats)
    names = [name for name in usual[ecg_columns.DS1[0]] if name != "label"]
    halves = [
        ecg_columns.fitted({n: usual[n] for n in ecg_columns.DS1[first::2]}, names)
        for first in (0, 1)
    ]
    base = judged_by(halves, usual)
    made = []
    for module in ECTOPY:
        short = module.__name__.removeprefix("cardio_ecg_transfer.signal.")
        for name, place in constants(module):
            own, worst = getattr(module, name), np.zeros(len(ECTOPY_LOSSES))
            value, behind = at_place(own, place)
            for factor in FACTORS:
                new = value * factor
                if 0.5 <= value < 1:  # a share stays one
                    new = min(new, (1 + value) / 2)
                new = round(new) if isinstance(value, int) else new
                setattr(module, name, with_number(own, place, new))
                try:
                    records = columns_of(beats)
                    change = judged_by(halves, records) - base
                    worst = np.where(np.abs(change) > np.abs(worst), change, worst)
                except (IndexError, ValueError):  # a share of more than all
                    continue
                finally:
                    setattr(module, name, own)
            losses_here = dict(zip(ECTOPY_LOSSES, worst.round(4).tolist(), strict=True))
            made.append({"module": short, "name": name + behind, "value": value} | losses_here)
            print(made[-1], file=sys.stderr, flush=True)
    return {
        "as they are": dict(zip(ECTOPY_LOSSES, base.round(4).tolist(), strict=True)),
        "by module": by_module(made, ECTOPY_LOSSES, ECTOPY_NOTHING, 3),
        "constants": made,
    }  # fmt: skip


def main() -> None:
    """Vary every number, and print or write what each is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="with ludb, ptbxl, mitdb")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--no-ectopy", action="store_true", help="keep what the file has of it")
    given = parser.parse_args()
    rows = recordings(given.data)
    base = losses(rows, [], median_beat, np.zeros(6))
    judged = [row.beat for row in rows[-6:]]
    beats = [
        replace(beat, leads=INDEPENDENT_LEADS,
                signal_mv=np.float32(beat.rows(INDEPENDENT_LEADS)))
        for beat in judged
    ]  # fmt: skip
    base[5] = wrong_exchanges(beats)
    known: dict[tuple[str, str, float], dict[str, object]] = {}
    before: dict[str, Any] = {}
    if given.resume:
        before = json.loads(given.json.read_text(encoding="utf-8"))
        if list(before["as they are"].values()) != base.round(2).tolist():
            sys.exit(f"other losses than {before['as they are']}: {base}; measure all again")
        known = {(row["module"], row["name"], row["value"]): row for row in before["constants"]}
    made = []
    for module in MODULES:
        short = module.__name__.removeprefix("cardio_ecg_transfer.signal.")
        for name, place in constants(module):
            own, worst = getattr(module, name), np.full(len(LOSSES), -np.inf)
            value, behind = at_place(own, place)
            full = name + behind
            if (short, full, value) in known:
                made.append(known[short, full, value])
                continue
            for factor in FACTORS:
                new = type(value)(
                    round(value * factor) if isinstance(value, int) else value * factor
                )
                setattr(module, name, with_number(own, place, new))
                try:
                    worst = np.maximum(worst, losses(rows, beats, module, base) - base)
                except IndexError:  # a share of more than all leads
                    continue
                finally:
                    setattr(module, name, own)
            row = {"module": short, "name": full, "value": value}
            finite = [round(float(loss), 2) if np.isfinite(loss) else None for loss in worst]
            row |= dict(zip(LOSSES, finite, strict=True))
            made.append(row)
            print(row, file=sys.stderr, flush=True)
        if module in STAGES:
            losses(rows, beats, module, base)  # back to the numbers as they are
    result = {
        "recordings": len(rows),
        "as they are": dict(zip(LOSSES, base.round(2).tolist(), strict=True)),
        "by module": by_module(made, LOSSES, NOTHING, 1),
        "constants": made,
        "ectopy": before["ectopy"] if given.no_ectopy else of_ectopy(given.data / "mitdb"),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
