"""R-peak detectors side by side on the MIT-BIH Arrhythmia Database, in one run on one core.

    python benchmarks/r_peaks.py --data $CARDIO_DATA/mitdb --json r_peaks.json

Run again with the same JSON, it goes on where it was ended: what is counted there already, a
detector on a record, is not run again. Seconds are of processor time, which other work on the
machine still lengthens (caches are shared): compare them within a run.

Reference: the beat annotations, whole records, no learning period; channel 0 unless told otherwise
(V5 in 102, 104 and 114, MLII elsewhere). Events within ventricular flutter (``[`` to ``]``, record
207) are left out on both sides, as EC57 does; a last table leaves them in. Matching is one to one
(`match_events`). Every detector gets the signal in millivolt and its sampling rate, with its
authors' own cleaning step.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from speed.ratios import add_ratios, keep_ratios
from wfdb import processing

from cardio_core.evaluation.aggregate import match_events
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks

BEAT_SYMBOLS = frozenset("NLRejBAaJSnVErF/fQ?")
FLUTTER_STARTS, FLUTTER_ENDS = "[", "]"
TOLERANCES_MS = (150, 50, 25)
# de Chazal 2004; 102, 104, 107 and 217 are paced and belong to neither set.
DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"
PACED = "102 104 107 217"
GROUPS = {"DS1": DS1.split(), "DS2": DS2.split(), "paced": PACED.split()}
GROUPS["all"] = sorted([*GROUPS["DS1"], *GROUPS["DS2"], *GROUPS["paced"]])
NEUROKIT_METHODS = (
    "neurokit",
    "pantompkins1985",
    "hamilton2002",
    "elgendi2010",
    "engzeemod2012",
    "kalidas2017",
    "rodrigues2021",
    "christov2004",
    "zong2003",
    "manikandan2012",
    "khamis2016",
    "emrich2023",
)

Detector = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Reference:
    """Beats of one record and the stretches that do not count, in seconds."""

    record: str
    channel: int
    signal_mv: np.ndarray
    rate_hz: float
    beats_s: np.ndarray
    flutter_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Count:
    """One detector on one record at one tolerance."""

    detector: str
    record: str
    channel: int
    tolerance_ms: int
    flutter_excluded: bool
    true: int
    false: int
    missed: int
    mean_error_ms: float
    sd_error_ms: float
    seconds: float


def read_reference(folder: Path, record: str, channel: int) -> Reference:
    """Read one channel and its beat annotations."""
    stored = wfdb.rdrecord(str(folder / record), channels=[channel])
    notes = wfdb.rdann(str(folder / record), "atr")
    symbols, times_s = np.asarray(notes.symbol), np.asarray(notes.sample) / stored.fs
    starts, ends = times_s[symbols == FLUTTER_STARTS], times_s[symbols == FLUTTER_ENDS]
    return Reference(
        record=record,
        channel=channel,
        signal_mv=stored.p_signal[:, 0],
        rate_hz=float(stored.fs),
        beats_s=times_s[np.isin(symbols, list(BEAT_SYMBOLS))],
        flutter_s=tuple(zip(starts.tolist(), ends.tolist(), strict=True)),
    )


def outside(times_s: np.ndarray, stretches_s: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Times that lie in none of the stretches."""
    keep = np.ones(times_s.size, dtype=bool)
    for start, end in stretches_s:
        keep &= (times_s < start) | (times_s > end)
    return times_s[keep]


def count_matches(
    detector: str, reference: Reference, found_s: np.ndarray, seconds: float
) -> list[Count]:
    """Match at every tolerance, with and without the flutter episodes."""
    counts = []
    for excluded in (True, False):
        stretches_s = reference.flutter_s if excluded else ()
        beats_s, peaks_s = outside(reference.beats_s, stretches_s), outside(found_s, stretches_s)
        for tolerance_ms in TOLERANCES_MS:
            i, j = match_events(beats_s, peaks_s, tolerance_ms / 1000)
            error_ms = 1000 * (peaks_s[j] - beats_s[i])
            counts.append(
                Count(
                    detector=detector,
                    record=reference.record,
                    channel=reference.channel,
                    tolerance_ms=tolerance_ms,
                    flutter_excluded=excluded,
                    true=int(i.size),
                    false=int(peaks_s.size - i.size),
                    missed=int(beats_s.size - i.size),
                    mean_error_ms=float(error_ms.mean()) if i.size else float("nan"),
                    sd_error_ms=float(error_ms.std()) if i.size else float("nan"),
                    seconds=seconds,
                )
            )
    return counts


def cardio(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """Detect with this project's detector."""
    return detect_r_peaks(signal_mv, rate_hz).samples


def xqrs(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """Detect with wfdb's xqrs."""
    return np.asarray(processing.xqrs_detect(signal_mv, fs=rate_hz, verbose=False))


def gqrs(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """Detect with wfdb's gqrs, which wants the signal in digital units (here 5 microvolt)."""
    digital = np.rint(signal_mv * 200)
    return np.asarray(processing.gqrs_detect(d_sig=digital, fs=rate_hz, adc_gain=200, adc_zero=0))


def neurokit(method: str, signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """Detect with one of neurokit2's methods after its own cleaning."""
    import neurokit2

    try:
        clean = neurokit2.ecg_clean(signal_mv, sampling_rate=rate_hz, method=method)
    except ValueError:  # no cleaning step of that name: the method takes the raw signal
        clean = signal_mv
    found = neurokit2.ecg_findpeaks(clean, sampling_rate=rate_hz, method=method)
    return np.asarray(found["ECG_R_Peaks"])


DETECTORS: dict[str, Detector] = {
    "cardio": cardio,
    "wfdb gqrs": gqrs,
    "wfdb xqrs": xqrs,
    **{f"neurokit2 {method}": partial(neurokit, method) for method in NEUROKIT_METHODS},
}


def run(
    folder: Path, records: list[str], detectors: list[str], channel: int, store: Path | None
) -> tuple[list[Count], dict[str, str]]:
    """Run the detectors record by record; one that fails is reported and left out from there on."""
    counts, failed = stored_counts(store)
    done = {(count.detector, count.record, count.channel) for count in counts}
    for record in records:
        reference = read_reference(folder, record, channel)
        for name in detectors:
            if name in failed or (name, record, channel) in done:
                continue
            started = time.process_time()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    peaks = DETECTORS[name](reference.signal_mv, reference.rate_hz)
            except Exception as error:  # a peer's failure is a result
                failed[name] = f"record {record}: {type(error).__name__}: {error}"
                continue
            seconds = time.process_time() - started
            found_s = np.unique(np.asarray(peaks, dtype=np.float64)) / reference.rate_hz
            counts += count_matches(name, reference, found_s, seconds)
        if store:
            content: dict[str, Any] = {"counts": [asdict(c) for c in counts], "failed": failed}
            unfinished = store.with_suffix(".part")
            unfinished.write_text(json.dumps(content, indent=1))
            unfinished.replace(store)
        print(f"{record} done", file=sys.stderr, flush=True)
    return counts, failed


def stored_counts(store: Path | None) -> tuple[list[Count], dict[str, str]]:
    """Read what an earlier run with this JSON counted."""
    if not (store and store.exists()):
        return [], {}
    content = json.loads(store.read_text())
    return [Count(**count) for count in content["counts"]], dict(content["failed"])


def percent(part: int, whole: int) -> float:
    """Share in percent, NaN of nothing."""
    return 100 * part / whole if whole else float("nan")


def table(counts: list[Count], group: str, records: list[str], *, flutter_excluded: bool) -> str:
    """Gross sensitivity, positive predictivity and F1 as a markdown table."""
    lines = [
        f"\n### {group}: {len(records)} records"
        + ("" if flutter_excluded else ", flutter episodes included"),
        "| detector | "
        + " | ".join(f"Se {t} ms | +P {t} ms | F1 {t} ms" for t in TOLERANCES_MS)
        + " | SD of error, ms | CPU s a record |",
        "|---|" + "---:|" * (3 * len(TOLERANCES_MS) + 2),
    ]
    for detector in dict.fromkeys(count.detector for count in counts):
        mine = [
            c
            for c in counts
            if c.detector == detector
            and c.record in records
            and c.flutter_excluded == flutter_excluded
        ]
        cells = []
        for tolerance_ms in TOLERANCES_MS:
            at = [c for c in mine if c.tolerance_ms == tolerance_ms]
            true = sum(c.true for c in at)
            false, missed = sum(c.false for c in at), sum(c.missed for c in at)
            cells += [
                percent(true, true + missed),
                percent(true, true + false),
                percent(2 * true, 2 * true + false + missed),
            ]
        widest = [c for c in mine if c.tolerance_ms == TOLERANCES_MS[0]]
        n_true = sum(c.true for c in widest)
        mean = sum(c.true * c.mean_error_ms for c in widest if c.true) / n_true
        square = sum(c.true * (c.sd_error_ms**2 + c.mean_error_ms**2) for c in widest if c.true)
        seconds = float(np.mean([c.seconds for c in widest]))
        shown = " | ".join(f"{cell:.2f}" for cell in cells)
        spread = float(np.sqrt(square / n_true - mean**2))
        lines.append(f"| {detector} | {shown} | {spread:.1f} | {seconds:.2f} |")
    return "\n".join(lines)


def ratios_of(counts: list[Count]) -> dict[str, float | None]:
    """Return how many times longer each detector takes than ours, on the records of both."""
    taken: dict[str, dict[str, float]] = {}
    for count in counts:
        taken.setdefault(count.detector, {})[count.record] = count.seconds
    ours = taken.get("cardio", {})
    ratios: dict[str, float | None] = {}
    for name, seconds in taken.items():
        shared = ours.keys() & seconds.keys()
        if name != "cardio" and shared:
            ratio = sum(seconds[one] for one in shared) / sum(ours[one] for one in shared)
            ratios[f"R peaks beside {name}"] = ratio
    return ratios


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the MIT-BIH records")
    parser.add_argument("--records", nargs="+", default=GROUPS["all"], help="default: all 48")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--channel", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the counts of every record here")
    add_ratios(parser)
    chosen = parser.parse_args(arguments)
    counts, failed = run(chosen.data, chosen.records, chosen.detectors, chosen.channel, chosen.json)
    counts = [count for count in counts if count.channel == chosen.channel]
    keep_ratios(chosen.ratios, ratios_of(counts))
    for group, members in GROUPS.items():
        records = [record for record in chosen.records if record in members]
        if records and counts:
            print(table(counts, group, records, flutter_excluded=True))
    if "207" in chosen.records and counts:
        print(table(counts, "all chosen", chosen.records, flutter_excluded=False))
    for name, reason in failed.items():
        print(f"\n{name} failed: {reason}")


if __name__ == "__main__":
    main()
