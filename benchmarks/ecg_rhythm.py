"""The rhythm statement: against the rhythms of LUDB, PTB-XL and MIT-BIH, and drawn flutter.

    python benchmarks/ecg_rhythm.py --data $CARDIO_DATA --json ecg_rhythm.json
    python benchmarks/ecg_rhythm.py --data $CARDIO_DATA --fit

The score of flutter is fitted on the odd patients of PTB-XL and the odd records of LUDB, and on
flutter, sinus tachycardia and fibrillation drawn from them (`ecg_rhythm_draw`); the table is of the
even ones. MIT-BIH has two leads and never fits: stretches of ten seconds within one annotated
rhythm, at most twelve a record.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from ecg_rhythm_draw import DRAWN, RATE_HZ, Heart
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.proportion import proportion_confint

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.delineation.limits import find_limits, p_locking
from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.fitted import with_products
from cardio_ecg_transfer.signal.leads.names import (
    STANDARD_LEADS,
    canonical_leads,
    derive_limb_leads,
)
from cardio_ecg_transfer.signal.pacing import beats_without_spikes, paced_chambers
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rhythm import (
    Rhythm,
    RhythmKind,
    atrial_waves,
    find_rhythm,
    flutter_features,
)
from cardio_ecg_transfer.signal.rpeaks import at_working_rate

N_DRAWN = 400
STRENGTH = 0.1  # of the regression; .03 and .3 find as many of the drawn ones
WEIGHT = {"drawn": 1.0, "sinus": 3.0, "fibrillation": 8.0, "flutter": 3.0}
MIT = {"N": "sinus", "SBR": "sinus", "AFIB": "fibrillation", "AFL": "flutter"}
PER_RECORD = 12


@dataclass(frozen=True)
class Seen:
    """One recording, and what is made of it."""

    name: str
    person: int
    truth: str
    rhythm: Rhythm
    features: np.ndarray
    has_pr: bool
    heart: Heart | None = None


def seen(name: str, person: int, truth: str, ecg: Ecg) -> Seen:
    """Go the way of `measure_ecg` up to the rhythm, with any leads."""
    if len(ecg.leads) > 3:
        ecg = derive_limb_leads(replace(ecg, leads=canonical_leads(ecg.leads)[0]))
    bridged, peaks, pacing = beats_without_spikes(check_recording(ecg).ecg)
    signal_mv, r_samples = at_working_rate(bridged, peaks)
    beat = median_beat(signal_mv, RATE_HZ, r_samples, ecg.leads)
    limits = find_limits(beat)
    p_wave = limits.p_wave
    lock = None if p_wave is None else p_locking(signal_mv, beat, limits.qrs, p_wave, r_samples)
    atrial = atrial_waves(signal_mv, beat, limits, lock, r_samples)
    rhythm = find_rhythm(
        beat, limits, lock, atrial, r_samples, paced_chambers(pacing, limits.qrs.on_ms)
    )
    has_pr = lock is not None and lock.locked and not atrial.doubts_p
    whole = has_pr and limits.t_wave is not None and ecg.leads[:12] == STANDARD_LEADS
    features = flutter_features(signal_mv, beat, limits, lock, r_samples)[0]
    heart = Heart.of(beat, limits) if whole and not pacing.is_paced else None
    return Seen(name, person, truth, rhythm, features, has_pr, heart)


def recordings(folder: Path) -> Iterator[tuple[str, int, str, Ecg]]:
    """Yield what LUDB and PTB-XL call sinus, fibrillation, flutter or paced."""
    marks = pd.read_csv(folder / "ludb" / "ludb.csv").set_index("ID")
    for record in range(1, 101):
        said = str(marks["Rhythms"][record]).lower()
        truth = next((one for one in ("flutter", "fibrillation") if one in said), "sinus")
        if isinstance(marks["Cardiac pacing"][record], str):
            truth = "paced"
        path = folder / "ludb" / "data" / f"{record}.hea"
        yield f"ludb {record}", record, truth, read_ecg(path)
    coded = {"PACE": "paced", "AFLT": "flutter", "AFIB": "fibrillation"}
    coded |= dict.fromkeys(("SR", "SARRH", "SBRAD", "STACH"), "sinus")
    for row in pd.read_csv(folder / "ptbxl" / "ptbxl_database.csv").itertuples():
        path = folder / "ptbxl" / f"{row.filename_hr}.hea"
        codes = ast.literal_eval(str(row.scp_codes))
        truth = next((truth for code, truth in coded.items() if code in codes), "")
        if truth and path.exists():
            yield f"ptbxl {row.ecg_id}", int(row.patient_id), truth, read_ecg(path)


def mit_stretches(folder: Path) -> Iterator[tuple[str, int, str, Ecg]]:
    """Yield stretches of ten seconds within one rhythm of the unpaced records."""
    import wfdb

    for path in sorted(folder.glob("*.hea")):
        if path.stem in ("102", "104", "107", "217"):
            continue
        notes = wfdb.rdann(str(path.with_suffix("")), "atr")
        marked = zip(notes.sample, notes.aux_note, strict=True)
        changes = [(int(at), note.strip("\x00(")) for at, note in marked if note.startswith("(")]
        ecg = read_ecg(path)
        rng = np.random.default_rng(int(path.stem))
        for rhythm in sorted({name for _, name in changes} & set(MIT)):
            ends = [*changes[1:], (ecg.signal_mv.shape[1], "")]
            starts = [
                at
                for (first, name), (last, _) in zip(changes, ends, strict=True)
                if name == rhythm
                for at in range(first + 360, last - 3960, 3600)
            ]
            for at in sorted(rng.permutation(starts)[:PER_RECORD].tolist()):
                part = replace(ecg, signal_mv=ecg.signal_mv[:, at : at + 3600])
                yield f"mitdb {path.stem} at {at}", int(path.stem), MIT[rhythm], part


def measured(given: Iterator[tuple[str, int, str, Ecg]]) -> list[Seen]:
    """Measure what can be measured."""
    made = []
    for one in given:
        try:
            made.append(seen(*one))
        except DataError:
            continue
    return made


def drawn(hearts: list[Heart], n: int, seed: int) -> list[Seen]:
    """Draw as many of each rhythm."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        for truth, draw in DRAWN.items():
            heart = hearts[rng.integers(len(hearts))]
            signal_mv, about = draw(heart, rng)
            ecg = Ecg(signal_mv.astype(np.float32), RATE_HZ, STANDARD_LEADS)
            name = f"drawn {truth} {number} {about.get('conduction', '')}"
            try:
                made.append(seen(name, -1, truth, ecg))
            except DataError:
                continue
    return made


def fit(real: list[Seen]) -> None:
    """Print range and weights."""
    rows = [one for one in real if one.person % 2 and one.truth != "paced"]
    hearts = [one.heart for one in rows if one.heart is not None and one.truth == "sinus"]
    made = drawn(hearts, N_DRAWN, 1)
    features = np.array([one.features for one in [*rows, *made]])
    flutters = np.array([one.truth == "flutter" for one in [*rows, *made]])
    weight = np.array([WEIGHT[one.truth] for one in rows] + [WEIGHT["drawn"]] * len(made))
    low, high = (np.round(np.quantile(features, share, axis=0), 2) for share in (0.01, 0.99))
    table = with_products(features, low, high)[:, 1:]
    middle, spread = table.mean(axis=0), table.std(axis=0)
    model = LogisticRegression(C=STRENGTH, max_iter=5000)
    model.fit((table - middle) / spread, flutters, sample_weight=weight)
    slopes = model.coef_[0] / spread
    weights = [model.intercept_[0] - (slopes * middle).sum(), *slopes]
    given = {"lowest": low, "highest": high, "weights": weights}
    print(json.dumps({k: [float(f"{x:.4g}") for x in numbers] for k, numbers in given.items()}))


def share(found: list[bool]) -> str:
    """Say how many, with Wilson's interval."""
    if not found:
        return "0 of 0"
    low, high = proportion_confint(sum(found), len(found), method="wilson")
    return f"{sum(found)} of {len(found)} ({low:.2f} to {high:.2f})"


def table_of(rows: list[Seen]) -> dict[str, dict[str, str]]:
    """Count statements and PR intervals by what the set says."""
    made = {}
    for truth in sorted({one.truth for one in rows}):
        own = [one for one in rows if one.truth == truth]
        counts = Counter(one.rhythm.kind for one in own)
        said = {kind.value: str(counts[kind]) for kind in RhythmKind}
        made[truth] = {"n": str(len(own)), **said, "PR given": share([one.has_pr for one in own])}
    return made


def main() -> None:
    """Fit, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    real = measured(recordings(given.data))
    if given.fit:
        fit(real)
        return
    rows = {
        "LUDB and PTB-XL, odd: fitted": [one for one in real if one.person % 2],
        "LUDB and PTB-XL, even": [one for one in real if one.person % 2 == 0],
    }
    even = [one.heart for one in rows["LUDB and PTB-XL, even"]
            if one.heart is not None and one.truth == "sinus"]  # fmt: skip
    rows["drawn from the even"] = drawn(even, N_DRAWN // 2, 2)
    rows["MIT-BIH, two leads"] = measured(mit_stretches(given.data / "mitdb"))
    made: dict[str, object] = {name: table_of(own) for name, own in rows.items()}
    flutters = [one for one in rows["drawn from the even"] if one.truth == "flutter"]
    made["PR in drawn flutter, by conduction"] = {
        way: share([one.has_pr for one in flutters if one.name.split(maxsplit=3)[3] == way])
        for way in sorted({one.name.split(maxsplit=3)[3] for one in flutters})
    }
    made["otherwise than the set says"] = {
        one.name: f"{one.truth}: {one.rhythm.text}"
        for one in real
        if one.rhythm.kind.value.rpartition(" ")[2] != one.truth
    }
    text = json.dumps(made, indent=1, ensure_ascii=False)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
