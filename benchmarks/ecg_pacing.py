"""Pacemaker spikes: simulated in real unpaced ECGs, and in the paced ones.

    python benchmarks/ecg_pacing.py --data $CARDIO_DATA --json ecg_pacing.json
    python benchmarks/ecg_pacing.py --data $CARDIO_DATA --fit

Recordings are those of LUDB and PTB-XL that are here, brought to a rate of 100 to 1000 Hz. A
stimulus of 0.05 to 5 mV and 0.1 to 2 ms, uni- or bipolar (the first with a tail), in the atrium,
the ventricle or both, points anywhere, passes a low-pass of 40 to 250 Hz (at most .45 of the rate)
and is left out before one beat in ten. The weights are fitted on every other recording; the table
is of the rest, by what is left of the stimulus in the lead that shows it best. MIT-BIH was stored
from tape at about 50 Hz.
"""

from __future__ import annotations

import argparse
import ast
import json
from math import gcd
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import bessel, resample_poly, sosfilt
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.proportion import proportion_confint

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import fill_gaps
from cardio_ecg_transfer.signal.fitted import with_products
from cardio_ecg_transfer.signal.leads.names import in_standard_order
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.signal.pacing import (
    beats_without_spikes,
    spike_features,
)
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks

FINE_HZ = 20_000
RATES_HZ = (100, 200, 250, 360, 500, 1000)
CUTOFFS_HZ = (40, 75, 100, 150, 250)
SIZES_UV = (20, 50, 100, 200, 500)
VISIBLE_MV = 0.03  # in its best lead, for a simulated spike to be fitted


def recordings(folder: Path) -> list[tuple[str, Path, bool]]:
    """Return names, paths and whether the set's own table says paced."""
    marks = pd.read_csv(folder / "ludb" / "ludb.csv")
    pacing = dict(zip(marks["ID"].astype(str), marks["Cardiac pacing"].notna(), strict=True))
    found = [(f"ludb {k}", folder / "ludb" / "data" / f"{k}.hea", pacing[str(k)])
             for k in range(1, 101)]  # fmt: skip
    for row in pd.read_csv(folder / "ptbxl" / "ptbxl_database.csv").itertuples():
        path = folder / "ptbxl" / f"{row.filename_hr}.hea"
        if path.exists():
            found.append(
                (f"ptbxl {row.ecg_id}", path, "PACE" in ast.literal_eval(str(row.scp_codes)))
            )
    return found


def at_rate(ecg: Ecg, rate_hz: int) -> np.ndarray:
    """Resample what was read, (n_leads, n_samples) in mV."""
    common = gcd(rate_hz, round(ecg.rate_hz))
    filled, _ = fill_gaps(ecg.signal_mv)
    made: np.ndarray = resample_poly(
        filled, rate_hz // common, round(ecg.rate_hz) // common, axis=1
    )
    return made


def stimulate(
    signal_mv: np.ndarray, rate_hz: int, cutoff_hz: float, r_s: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add stimuli to twelve leads; return them, and when they come, in seconds."""
    rng = np.random.default_rng(seed)
    size_mv = np.exp(rng.uniform(np.log(0.05), np.log(5.0)))
    width_ms = np.exp(rng.uniform(np.log(0.1), np.log(2.0)))
    free = rng.normal(size=8)
    i, ii = free[:2]
    leads = np.array([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *free[2:]])
    leads *= size_mv / np.abs(leads).max()
    unipolar = rng.random() < 0.5
    tail, fading_s = rng.uniform(0.01, 0.1), rng.uniform(0.004, 0.03)
    chamber = rng.integers(3)
    before_s = [rng.uniform(0.05, 0.11)] if chamber != 0 else []
    before_s += [rng.uniform(0.17, 0.26)] if chamber != 1 else []
    filtered = bessel(4, cutoff_hz, fs=FINE_HZ, output="sos", norm="mag")
    start, length = round(0.03 * FINE_HZ), round(0.12 * FINE_HZ)
    paced, times_s = signal_mv.copy(), []
    for r in r_s:
        if rng.random() < 0.1:
            continue
        for before in before_s:
            at_s = r - before + rng.normal(0.0, 0.003)
            first = int((at_s - 0.03) * rate_hz)
            pulse = np.zeros(length)
            on = start + round((at_s - 0.03 - first / rate_hz) * FINE_HZ)
            off = on + max(1, round(width_ms / 1000 * FINE_HZ))
            pulse[on:off] = 1.0
            if unipolar:
                pulse[off:] = -tail * np.exp(-np.arange(length - off) / FINE_HZ / fading_s)
            places = np.arange(0, length, FINE_HZ / rate_hz).astype(int)
            shown = sosfilt(filtered, pulse)[places]
            if first >= 0 and first + shown.size <= paced.shape[1]:
                paced[:, first : first + shown.size] += leads[:, None] * shown
                times_s.append(at_s)
    return paced, np.array(times_s)


def fit(unpaced: list[tuple[str, Path, bool]]) -> None:
    """Print ranges and weights, fitted on every other recording."""
    rng = np.random.default_rng(1)
    rows, labels = [], []
    for number, (_, path, _) in enumerate(unpaced[::2]):
        ecg = in_standard_order(read_ecg(path))
        r_s = detect_r_peaks(ecg.signal_mv, ecg.rate_hz).times_s
        for rate_hz in (500, *rng.choice([rate for rate in RATES_HZ if rate != 500], 2, False)):
            plain = at_rate(ecg, int(rate_hz))
            own = spike_features(plain, rate_hz)[1]
            cutoff_hz = min(rng.uniform(60.0, 250.0), 0.45 * rate_hz)
            paced, times_s = stimulate(plain, int(rate_hz), cutoff_hz, r_s, number)
            at, seen = spike_features(paced, rate_hz)
            added = np.abs(paced - plain).max(axis=0)
            late_s = (
                at[:, None] / rate_hz - times_s[None] if times_s.size else np.ones((at.size, 1))
            )
            is_spike = ((late_s > -0.002) & (late_s < max(0.005, 1.5 / cutoff_hz))).any(axis=1)
            is_spike &= added[at] > VISIBLE_MV
            rows += [own, seen[is_spike]]
            labels += [np.zeros(len(own)), np.ones(int(is_spike.sum()))]
    spikes = np.vstack(rows)[np.concatenate(labels) == 1]
    low, high = np.quantile(spikes, (0.01, 0.95), axis=0).round(1)  # beyond, products would mislead
    made = with_products(np.vstack(rows), low, high)
    spread = made.std(axis=0) + (made.std(axis=0) == 0)
    model = LogisticRegression(C=10.0, max_iter=5000, fit_intercept=False)
    model.fit(made / spread, np.concatenate(labels))
    weights = [float(f"{weight:.4g}") for weight in model.coef_[0] / spread]
    print(json.dumps({"lowest": low.tolist(), "highest": high.tolist(), "weights": weights}))


def share(found: list[bool]) -> str:
    """Say how many were found, with Wilson's interval."""
    low, high = proportion_confint(sum(found), len(found), method="wilson")
    return f"{sum(found)} of {len(found)} ({low:.2f} to {high:.2f})"


def sensitivity(unpaced: list[tuple[str, Path, bool]]) -> dict[str, object]:
    """Of the recordings that nothing was fitted on: found by size and cut-off, and false ones."""
    rng = np.random.default_rng(2)
    by_cutoff: dict[int, dict[str, list[bool]]] = {}
    false: dict[int, list[bool]] = {}
    for number, (_, path, _) in enumerate(unpaced[1::2]):
        ecg = in_standard_order(read_ecg(path))
        r_s = detect_r_peaks(ecg.signal_mv, ecg.rate_hz).times_s
        for rate_hz in rng.choice(RATES_HZ, 2, replace=False).tolist():
            plain = at_rate(ecg, rate_hz)
            _, _, none = beats_without_spikes(Ecg(plain.astype(np.float32), rate_hz, ecg.leads))
            false.setdefault(rate_hz, []).append(none.is_paced)
            for cutoff_hz in CUTOFFS_HZ:
                if cutoff_hz > 0.45 * rate_hz:
                    continue
                paced, times_s = stimulate(plain, rate_hz, cutoff_hz, r_s, 1000 + number)
                shown = Ecg(paced.astype(np.float32), rate_hz, ecg.leads)
                _, _, found = beats_without_spikes(shown)
                added_uv = np.abs(paced - plain).max(axis=0)
                at = (times_s * rate_hz).astype(int)
                near = [added_uv[k : k + round(0.02 * rate_hz) + 2].max() for k in at]
                size = int(np.searchsorted(SIZES_UV, 1000 * np.median(near)))
                names = ["", *(str(one) for one in SIZES_UV)]
                by_cutoff.setdefault(cutoff_hz, {}).setdefault(names[size], []).append(
                    found.is_paced
                )
    return {
        "false": {str(rate): share(found) for rate, found in sorted(false.items())},
        "by_cutoff_and_size_uv": {
            str(cutoff): {f"from {size or 0}": share(found) for size, found in sorted(
                sizes.items(), key=lambda pair: int(pair[0] or 0))}
            for cutoff, sizes in sorted(by_cutoff.items())
        },
    }  # fmt: skip


def real(folder: Path) -> dict[str, object]:
    """Return who is found paced, in all recordings as they are."""
    found: dict[str, list[bool]] = {"paced": [], "unpaced": [], "tape paced": [], "tape": []}
    found |= {f"{kind} in II alone": [] for kind in ("paced", "unpaced")}
    blocks = []
    for name, path, is_paced in recordings(folder):
        ecg = read_ecg(path)
        pacing = beats_without_spikes(ecg)[2]
        kind = "paced" if is_paced else "unpaced"
        found[kind].append(pacing.is_paced)
        alone = Ecg(ecg.signal_mv[[ecg.leads.index("II")]], ecg.rate_hz, ("II",))
        found[f"{kind} in II alone"].append(beats_without_spikes(alone)[2].is_paced)
        if is_paced:
            made = measure_ecg(ecg)
            said = [block for block in ("lbbb", "lbbb_esc", "lbbb_aha", "rbbb")
                    if made.values[block] == made.values[block]]  # fmt: skip
            blocks.append({"name": name, "found": pacing.is_paced, "blocks": said,
                           "before_r_ms": [round(one) for one in pacing.before_r_ms],
                           "qrs_ms": round(made.values["qrs_ms"], 1)})  # fmt: skip
    for path in sorted((folder / "mitdb").glob("*.hea")):
        kind = "tape paced" if path.stem in ("102", "104", "107", "217") else "tape"
        found[kind].append(beats_without_spikes(read_ecg(path))[2].is_paced)
    return {kind: share(one) for kind, one in found.items()} | {"records": blocks}


def main() -> None:
    """Fit, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    unpaced = [one for one in recordings(asked.data) if not one[2]]
    if asked.fit:
        fit(unpaced)
        return
    made = {"real": real(asked.data), "simulated": sensitivity(unpaced)}
    text = json.dumps(made, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
