"""ECG limits and bundle branch blocks against people: LUDB's marks, and diagnoses of two sets.

    python benchmarks/ecg_limits.py --data $CARDIO_DATA --half even --json ecg_limits.json

QRS, PR and QT of the records of one half of LUDB 1 to 100 (the weights were fitted on the odd
ones), as `cardio measure` takes them (360 Hz), beside neurokit2's delineation; then what a gain and
noise change; then who is given a PR interval, and who a complete block, in LUDB and PTB-XL.

The human value of a record is a median: per beat over the twelve leads, then over the beats of the
median beat. ``extreme`` is the second earliest onset and second latest end of the leads' medians,
``outermost`` the earliest and latest; the global limits are compared with both.
neurokit2 delineates each lead, at our R peaks, and its limits are taken like the human ones.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from ecg_ludb import LEADS, marks_at, read
from statsmodels.stats.proportion import proportion_confint

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.wfdb_record import read_wfdb
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import resample
from cardio_ecg_transfer.signal.measurements.measure import Measurements, measure_ecg

GAINS = (0.5, 2.0, 10.0)
NOISE_MV = 0.003
COLUMNS = ("qrs_on", "qrs_off", "qrs", "pr", "qt")


def intervals(on: float, off: float, p_on: float, t_off: float) -> dict[str, float]:
    """Name the limits and intervals of a record, in ms from R."""
    return {"qrs_on": on, "qrs_off": off, "qrs": off - on, "pr": on - p_on, "qt": t_off - on}


def middle(marks: np.ndarray) -> dict[str, float]:
    """The consensus of leads: (n_beats, 12, 9) to one record's intervals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        lead = np.nanmedian(marks, axis=1)
        on, off, p_on, t_off = (float(np.nanmedian(lead[:, k])) for k in (0, 2, 3, 8))
    return intervals(on, off, p_on, t_off)


def extreme(marks: np.ndarray, left_out: int = 1) -> dict[str, float]:
    """Second earliest onset and second latest end of the leads' medians, or with 0 left out, first.

    The P wave and the T wave likewise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        lead = np.nanmedian(marks, axis=0)
    off = -np.sort(-lead[:, 2][np.isfinite(lead[:, 2])])[left_out]
    on = np.sort(lead[:, 0])[left_out]
    p_on, t_off = lead[:, 3], lead[:, 8]
    p_on, t_off = np.sort(p_on[np.isfinite(p_on)]), -np.sort(-t_off[np.isfinite(t_off)])
    return intervals(
        float(on), float(off), p_on[left_out] if p_on.size > left_out else np.nan,
        t_off[left_out] if t_off.size > left_out else np.nan,
    )  # fmt: skip


def ours(made: Measurements, *, over_all_leads: bool = False) -> dict[str, float]:
    """What this project measures, in the median lead or over all leads."""
    p_on = np.nan if made.p_wave is None else made.p_wave.on_ms
    t_off = np.nan if made.t_wave is None else made.t_wave.off_ms
    on_ms, off_ms = made.qrs.on_ms, made.qrs.off_ms
    if over_all_leads:
        on_ms, off_ms = made.qrs.first_and_last_ms
    return intervals(on_ms, off_ms, p_on, t_off)


def neurokit(ecg: Ecg, r_ms: np.ndarray, method: str) -> dict[str, float]:
    """What neurokit2 delineates, lead by lead; the median of leads and beats."""
    import neurokit2

    names = ("ECG_R_Onsets", "ECG_R_Offsets", "ECG_P_Onsets", "ECG_T_Offsets")
    marks = np.full((r_ms.size, len(LEADS), 9), np.nan)
    r_samples = np.rint(r_ms * ecg.rate_hz / 1000).astype(int)
    for lead, signal in enumerate(ecg.signal_mv):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                clean = neurokit2.ecg_clean(signal.astype(float), sampling_rate=int(ecg.rate_hz))
                _, waves = neurokit2.ecg_delineate(
                    clean, r_samples, sampling_rate=int(ecg.rate_hz), method=method
                )
            except Exception:  # noqa: S112  # a peer's failure on a lead is a lead without limits
                continue
        for name, place in zip(names, (0, 2, 3, 8), strict=True):
            found = np.asarray(waves[name], dtype=float)
            if found.size == r_ms.size:
                marks[:, lead, place] = found * 1000 / ecg.rate_hz - r_ms
    return middle(marks)


def errors(found: list[dict[str, float]], human: list[dict[str, float]]) -> dict[str, str]:
    """Mean and SD of the differences, how many, and the correlation of durations."""
    said = {}
    for name in COLUMNS:
        pairs = np.array([(a[name], b[name]) for a, b in zip(found, human, strict=True)])
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        if len(pairs) < 3:
            said[name] = "none"
            continue
        apart = pairs[:, 0] - pairs[:, 1]
        r = np.corrcoef(pairs.T)[0, 1]
        said[name] = f"{apart.mean():+.1f} ± {apart.std(ddof=1):.1f} (r {r:.3f}, n {len(pairs)})"
    return said


def share(found: int, of: int) -> str:
    """A share with Wilson's interval."""
    if not of:
        return "0 of 0"
    low, high = proportion_confint(found, of, method="wilson")
    return f"{found} of {of} ({low:.2f} to {high:.2f})"


def limits_of_ludb(
    folder: Path, records: list[int], methods: list[str]
) -> tuple[dict[str, object], dict[int, Measurements], dict[int, np.ndarray]]:
    """Compare limits with the marks of these records."""
    made: dict[int, Measurements] = {}
    marks: dict[int, np.ndarray] = {}
    refused: dict[int, str] = {}
    peers: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
    seconds = 0.0
    for record in records:
        ecg = read(folder, record)
        started = time.perf_counter()
        try:
            made[record] = measure_ecg(ecg)
        except DataError as error:
            refused[record] = str(error)
            continue
        seconds += time.perf_counter() - started
        beat = made[record].beat
        r_ms = beat.r_samples * 1000.0 / beat.rate_hz
        marks[record] = marks_at(folder, record, r_ms)
        for method in methods:
            peers[method].append(neurokit(ecg, r_ms, method))
    human = [middle(marks[record]) for record in made]
    rows = {"this one": errors([ours(one) for one in made.values()], human)}
    rows["this one, extreme marks"] = errors(
        [ours(one) for one in made.values()], [extreme(marks[record]) for record in made]
    )
    whole = [ours(one, over_all_leads=True) for one in made.values()]
    for name, left_out in (("extreme", 1), ("outermost", 0)):
        outer = [extreme(marks[record], left_out) for record in made]
        rows[f"global, {name} marks"] = errors(whole, outer)
    rows |= {f"neurokit2 {method}": errors(peers[method], human) for method in methods}
    worst = sorted(
        (abs(ours(made[r])["qrs"] - h["qrs"]), r) for r, h in zip(made, human, strict=True)
    )
    result = {
        "measured": share(len(made), len(records)), "refused": refused, "rows": rows,
        "seconds a record": round(seconds / max(len(made), 1), 3),
        "worst QRS": [(r, round(float(e), 1)) for e, r in worst[::-1][:5]],
    }  # fmt: skip
    return result, made, marks


def steadiness(folder: Path, records: list[int], made: dict[int, Measurements]) -> dict[str, str]:
    """How much a gain, noise and the recording's sampling rate change QRS duration and verdicts."""
    said = {}
    rng = np.random.default_rng(0)
    ways: dict[str, tuple[float, float, float | None]]
    ways = {f"times {gain:g}": (gain, 0.0, None) for gain in GAINS}
    ways |= {"3 µV noise": (1.0, NOISE_MV, None)}
    ways |= {f"recorded at {rate:g} Hz": (1.0, 0.0, rate) for rate in (250.0, 360.0, 1000.0)}
    for way, (gain, noise_mv, rate_hz) in ways.items():
        changes, flips, jumps = [], 0, 0
        for record in (one for one in records if one in made):
            ecg = read(folder, record)
            noise = rng.normal(0.0, 1.0, ecg.signal_mv.shape) * noise_mv
            signal = ecg.signal_mv * gain + noise
            if rate_hz is not None:
                signal, _ = resample(signal, ecg.rate_hz, rate_hz)
            changed = replace(
                ecg, signal_mv=signal.astype(np.float32), rate_hz=rate_hz or ecg.rate_hz
            )
            other = measure_ecg(changed)
            changes.append(abs(other.values["qrs_ms"] - made[record].values["qrs_ms"]))
            for block, verdict in made[record].found.verdicts.items():
                new = other.found.verdicts[block]
                flips += new.present != verdict.present
                jumps += {new.grade, verdict.grade} == {"definite", "absent"}
        said[way] = (
            f"QRS by up to {max(changes):.1f} ms (95 %: {np.quantile(changes, 0.95):.1f}); "
            f"{flips} of {4 * len(changes)} verdicts turn, {jumps} from definite to absent"
        )
    return said


def rhythm_and_blocks(
    made: dict[str, Measurements], sinus: list[str], without: list[str], truth: dict[str, list[str]]
) -> dict[str, str]:
    """Who is given a PR interval, and which blocks are found, with Wilson's intervals."""
    with_pr = [key for key, one in made.items() if np.isfinite(one.values["pr_ms"])]
    said = {
        "PR in sinus rhythm": share(sum(key in with_pr for key in sinus), len(sinus)),
        "PR in fibrillation and flutter": share(sum(k in with_pr for k in without), len(without)),
        "without PR in sinus rhythm": ", ".join(k for k in sinus if k not in with_pr),
        "PR given in": ", ".join(k for k in without if k in with_pr),
    }
    for name in ("lbbb", "lbbb_esc", "lbbb_aha", "rbbb"):
        block = truth["RBBB" if name == "rbbb" else "LBBB"]
        says = [key for key, one in made.items() if one.values[name] == 1.0]
        withheld = [key for key, one in made.items() if np.isnan(one.values[name])]
        unsure = [k for k, one in made.items() if one.found.verdicts[name].grade == "borderline"]
        others = [key for key in made if key not in block]
        said[name] = (
            f"found {share(sum(k in says for k in block), len(block))}, falsely "
            f"{share(sum(k in says for k in others), len(others))}; borderline {len(unsure)}; "
            f"missed {', '.join(k for k in block if k not in says)}; "
            f"false {', '.join(k for k in says if k not in block)}; withheld {', '.join(withheld)}"
        )
    return said


def ludb_diagnoses(
    folder: Path, made: dict[int, Measurements], marks: dict[int, np.ndarray]
) -> dict[str, str]:
    """PR and blocks of LUDB; sinus is a sinus rhythm with a P wave marked in half of the beats."""
    table = pd.read_csv(folder / "ludb.csv").set_index("ID")
    conduction = table["Conduction abnormalities"].fillna("").str.lower()
    rhythm = table["Rhythms"].str.lower()
    marked = {r: np.isfinite(m[:, :, 3]).any(axis=1).mean() >= 0.5 for r, m in marks.items()}
    key = dict(made)
    truth = {
        side: [str(r) for r in key if f"complete {word} bundle" in
               conduction[r].replace(f"incomplete {word}", "")]
        for side, word in (("LBBB", "left"), ("RBBB", "right"))
    }  # fmt: skip
    return rhythm_and_blocks(
        {str(r): one for r, one in key.items()},
        [str(r) for r in key if "sinus" in rhythm[r] and marked[r]],
        [str(r) for r in key if "atrial f" in rhythm[r]],
        truth,
    )


def ptbxl_diagnoses(folder: Path) -> tuple[dict[str, str], str]:
    """PR and blocks of the PTB-XL part, sinus as its codes say."""
    table = pd.read_csv(folder / "ptbxl_database.csv")
    table = table[[(folder / f"{name}.hea").is_file() for name in table.filename_hr]]
    made, codes = {}, {}
    started = time.perf_counter()
    for row in table.itertuples():
        ecg = read_wfdb(folder / f"{row.filename_hr}.hea", max_values=1_000_000)
        made[str(row.ecg_id)] = measure_ecg(ecg, sex="F" if row.sex else "M")
        codes[str(row.ecg_id)] = set(ast.literal_eval(row.scp_codes))
    seconds = (time.perf_counter() - started) / len(made)
    of = {code: [k for k, own in codes.items() if code in own] for code in
          ("SR", "AFIB", "AFLT", "CLBBB", "CRBBB")}  # fmt: skip
    said = rhythm_and_blocks(
        made, of["SR"], of["AFIB"] + of["AFLT"], {"LBBB": of["CLBBB"], "RBBB": of["CRBBB"]}
    )
    return said, f"{seconds:.3f}"


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with ludb and ptbxl")
    parser.add_argument("--half", choices=("odd", "even"), default="odd", help="odd: tuned on it")
    parser.add_argument("--methods", nargs="*", default=[], help="of neurokit2: dwt, peak, cwt")
    parser.add_argument("--quick", action="store_true", help="limits alone")
    parser.add_argument("--json", type=Path, help="write the result here")
    chosen = parser.parse_args()
    records = list(range(1 if chosen.half == "odd" else 2, 101, 2))
    ludb = chosen.data / "ludb"
    result, made, marks = limits_of_ludb(ludb, records, chosen.methods)
    result["diagnoses, LUDB"] = ludb_diagnoses(ludb, made, marks)
    if not chosen.quick:
        result["steadiness"] = steadiness(ludb, records, made)
        result["diagnoses, PTB-XL"], result["seconds, PTB-XL"] = ptbxl_diagnoses(
            chosen.data / "ptbxl"
        )
    text = json.dumps({"half": chosen.half, **result}, indent=1, ensure_ascii=False)
    sys.stdout.write(text + "\n")
    if chosen.json:
        chosen.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
