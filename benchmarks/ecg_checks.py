"""What the checks of a recording find, and whom they accuse, on real ECGs changed on purpose.

    python benchmarks/ecg_checks.py --data $CARDIO_DATA/ptbxl --json ecg_checks.json

The reporting half of PTB-XL's patients (`ecg_checks_fit.halves`; weights and limits come from the
other), one ECG a patient: 60 are changed in every way, all are also taken as they are. Then what a
dead lead, another rate and another file format change in the measurements.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from ecg_checks_fit import halves
from statsmodels.stats.proportion import proportion_confint

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
from cardio_ecg_transfer.signal.ecg import Ecg, Finding, unfit_leads
from cardio_ecg_transfer.signal.filters import fill_gaps, high_pass, resample
from cardio_ecg_transfer.signal.leads.exchanges import find_exchanges
from cardio_ecg_transfer.signal.leads.names import (
    INDEPENDENT_LEADS,
    LIMB_LEADS,
    PRECORDIAL_LEADS,
    STANDARD_LEADS,
    derive_limb_leads,
)
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks

Change = Callable[[Ecg], Ecg]
NOISE_MV = 0.02  # between two legs
RATES_HZ = (100.0, 125.0, 250.0, 1000.0)


def found_in(ecg: Ecg) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Run every check, as `measure` does, and measure nothing."""
    checked = check_recording(ecg)
    findings, ecg = checked.findings, checked.ecg
    if unfit_leads(findings, "signal", "place", "potential") & set(INDEPENDENT_LEADS):
        return findings, checked.flags
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz)
    bridged, valid = fill_gaps(ecg.signal_mv)
    filtered = np.where(valid, high_pass(bridged, ecg.rate_hz), np.nan)
    try:
        beat = median_beat(filtered, ecg.rate_hz, peaks.samples, ecg.leads)
    except DataError as error:
        return findings, (*checked.flags, str(error))
    exchanged = find_exchanges(beat)
    return (*findings, *exchanged), (*checked.flags, *(one.text for one in exchanged))


def rows_of(ecg: Ecg) -> dict[str, np.ndarray]:
    """Return the leads by name."""
    return dict(zip(ecg.leads, ecg.signal_mv.astype(float), strict=True))


def put(ecg: Ecg, changed: dict[str, np.ndarray]) -> Ecg:
    """Return the recording with some leads replaced."""
    rows = rows_of(ecg) | changed
    return replace(ecg, signal_mv=np.float32([rows[lead] for lead in ecg.leads]))


def electrodes(lies_at: tuple[int, int, int]) -> Change:
    """Put the cables of right arm, left arm and left leg at other places of these three."""

    def change(ecg: Ecg) -> Ecg:
        row = rows_of(ecg)
        one, two = row["I"], row["II"]
        site = np.stack([-(one + two), 2 * one - two, 2 * two - one]) / 3
        return put(ecg, limb_leads(*site[list(lies_at)]))

    return change


def limb_leads(right: np.ndarray, left: np.ndarray, foot: np.ndarray) -> dict[str, np.ndarray]:
    """Return the six leads of three potentials."""
    return {
        "I": left - right,
        "II": foot - right,
        "III": foot - left,
        "aVR": right - (left + foot) / 2,
        "aVL": left - (right + foot) / 2,
        "aVF": foot - (right + left) / 2,
    }


def right_leg(arm: str) -> Change:
    """Exchange an arm's cable and the right leg's: Wilson's terminal moves, too."""

    def change(ecg: Ecg) -> Ecg:
        row = rows_of(ecg)
        one, two = row["I"], row["II"]
        site = np.stack([-(one + two), 2 * one - two, 2 * two - one]) / 3
        place = {"right": 0, "left": 1}[arm]
        noise = np.random.default_rng(0).normal(0, NOISE_MV / 2, one.size)
        leg = site[2] + noise
        moved = (leg - site[place]) / 3
        site[place] = leg
        chest = {lead: row[lead] - moved for lead in PRECORDIAL_LEADS}
        return put(ecg, limb_leads(*site) | chest)

    return change


def held(change: dict[str, str]) -> Change:
    """Let leads hold others, ``-V2`` upside down."""

    def made(ecg: Ecg) -> Ecg:
        row = rows_of(ecg)
        taken = {
            lead: -row[other[1:]] if other.startswith("-") else row[other]
            for lead, other in change.items()
        }
        return put(ecg, taken)

    return made


def turned(*leads: str) -> Change:
    """Turn leads upside down."""
    return held({lead: f"-{lead}" for lead in leads})


def exchanged(one: str, other: str) -> Change:
    """Exchange two leads."""
    return held({one: other, other: one})


def of_eight(change: Change) -> Change:
    """Change a recording that stores eight leads, the others being derived from I and II."""

    def made(ecg: Ecg) -> Ecg:
        full = change(ecg)
        rows = [full.leads.index(lead) for lead in INDEPENDENT_LEADS]
        stored = replace(full, signal_mv=full.signal_mv[rows], leads=INDEPENDENT_LEADS)
        return derive_limb_leads(stored)

    return made


def part(lead: str, values: Callable[[np.ndarray], np.ndarray], share: float = 1.0) -> Change:
    """Change the first share of a lead, from 1.5 s on."""

    def made(ecg: Ecg) -> Ecg:
        row = rows_of(ecg)[lead].copy()
        first = 0 if share == 1.0 else round(1.5 * ecg.rate_hz)
        last = first + round(share * row.size)
        row[first:last] = values(row[first:last])
        return put(ecg, {lead: row})

    return made


def scaled(factor: float) -> Change:
    """Multiply everything."""
    return lambda ecg: replace(ecg, signal_mv=(ecg.signal_mv * factor).astype(np.float32))


def clipped(row: np.ndarray) -> np.ndarray:
    """Cut off what is above six tenths of the largest deflection from the middle."""
    middle = np.median(row)
    reach = 0.6 * np.abs(row - middle).max()
    return np.clip(row, middle - reach, middle + reach)


ARM, LEG = ("right arm", "left arm"), "left leg"
LIMB = "limb electrodes"
CHEST = "chest electrodes"
KINDS: list[tuple[str, str, Change, str]] = [
    (LIMB, "right arm – left arm", electrodes((1, 0, 2)), "right arm and left arm el"),
    (LIMB, "right arm – left leg", electrodes((2, 1, 0)), "right arm and left leg el"),
    (LIMB, "left arm – left leg", electrodes((0, 2, 1)), "left arm and left leg el"),
    (LIMB, "all three one place on", electrodes((1, 2, 0)), "on the left arm, left leg and right"),
    (LIMB, "all three one place back", electrodes((2, 0, 1)), "on the left leg, right arm and l"),
    (LIMB, "right arm – right leg", right_leg("right"), "right arm and right leg"),
    (LIMB, "left arm – right leg", right_leg("left"), "left arm and right leg"),
    (LIMB, "left leg – right leg", lambda ecg: ecg, "leg and right leg"),
    *(
        (CHEST, f"{one} – {other}", exchanged(one, other), f"{one} and {other} ")
        for one, other in combinations(PRECORDIAL_LEADS, 2)
    ),
    (CHEST, "V1 to V6 reversed", held(dict(zip(PRECORDIAL_LEADS, PRECORDIAL_LEADS[::-1],
                                               strict=True))), "V1 to V6"),
    (CHEST, "V1, V2, V3 hold V2, V3, V1", held({"V1": "V2", "V2": "V3", "V3": "V1"}), "V2, V3, V1"),
    (CHEST, "V1, V2, V3 hold V3, V1, V2", held({"V1": "V3", "V2": "V1", "V3": "V2"}), "V3, V1, V2"),
    *(("upside down", lead, turned(lead), f"{lead} ") for lead in STANDARD_LEADS),
    ("upside down", "I, II, III", turned("I", "II", "III"), "I, II, III and aVR"),
    ("upside down", "all limb leads", turned(*LIMB_LEADS), "the limb leads"),
    ("upside down", "V1 to V6", turned(*PRECORDIAL_LEADS), "V1 to V6"),
    ("upside down", "the whole ECG", turned(*STANDARD_LEADS), "the whole ECG"),
    ("upside down", "I, of eight stored leads", of_eight(turned("I")), "I "),
    ("names of limb leads", "I – II", exchanged("I", "II"), "I and II are"),
    ("names of limb leads", "II – aVF", exchanged("II", "aVF"), "II and aVF are"),
    ("names of limb leads", "aVL – aVF", exchanged("aVL", "aVF"), "aVL and aVF are"),
    ("names of limb leads", "aVL holds V6", held({"aVL": "V6"}), "aVL does not follow"),
    ("gain", "aVF doubled", held({}), "aVF differs in gain"),
    ("unit", "ten times too large", scaled(10.0), "10 times too large"),
    ("unit", "a tenth", scaled(0.1), "10 times too small"),
    ("unit", "V4 ten times too large", part("V4", lambda row: 10 * row), "V4 spans"),
    ("unit", "mV labelled V", scaled(1e3), "1000 times too large"),
    ("unit", "mV labelled V, stored in µV", scaled(1e6), "1e+06 times too large"),
    ("no signal", "V3 flat", part("V3", lambda row: 0 * row), "V3 is flat"),
    ("no signal", "aVL flat", part("aVL", lambda row: 0 * row), "aVL is flat"),
    ("no signal", "V4 missing for 70 %", part("V4", lambda row: np.nan * row, 0.7), "V4 has no"),
    ("no signal", "V2 missing for 3 s", part("V2", lambda row: np.nan * row, 0.3), "V2 missing"),
    ("no signal", "V5 stands still for 2 s", part("V5", lambda row: 0 * row + row[0], 0.2),
     "V5 flat for"),
    ("no signal", "II stands still for 0.6 s", part("II", lambda row: 0 * row + row[0], 0.06),
     "II does not change"),
    ("cut off", "V3", part("V3", clipped), "V3 clipped"),
    ("repeated", "V4 holds V3", held({"V4": "V3"}), "V3 and V4 hold the same"),
    ("repeated", "aVF holds aVL", held({"aVF": "aVL"}), "aVF holds aVL"),
]  # fmt: skip
KINDS = [
    (kind, name, part("aVF", lambda row: 2 * row) if kind == "gain" else change, said)
    for kind, name, change, said in KINDS
]


def interval(hits: int, n: int) -> str:
    """Return hits with Wilson's interval of 95 %."""
    low, high = proportion_confint(hits, n, method="wilson")
    return f"{hits} of {n} ({low:.2f} to {high:.2f})"


def tested(ecgs: list[Ecg], kinds: list[tuple[str, str, Change, str]]) -> list[dict[str, str]]:
    """Change every ECG in every way; count what is flagged, named as it is, and withheld."""
    as_they_are = [set(found_in(ecg)[1]) for ecg in ecgs]
    rows = []
    for kind, name, change, said in kinds:
        flagged = named = sure = 0
        for ecg, before in zip(ecgs, as_they_are, strict=True):
            findings, flags = found_in(change(ecg))
            more = [flag for flag in flags if flag not in before]
            known = {one.text for one in findings}
            flagged += any(flag in known or said in flag for flag in more)
            named += any(said in flag for flag in more)
            sure += any(one.leads and one.text in more for one in findings)
        rows.append(
            {
                "kind": kind,
                "change": name,
                "found": interval(flagged, len(ecgs)),
                "named": interval(named, len(ecgs)),
                "withheld": f"{sure} of {len(ecgs)}",
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def accused(ecgs: dict[str, Ecg]) -> dict[str, object]:
    """Run every check on ECGs as they are."""
    said = {name: found_in(ecg)[0] for name, ecg in ecgs.items()}
    any_ = {name: [one.text for one in own] for name, own in said.items() if own}
    sure = sum(any(one.leads for one in own) for own in said.values())
    return {
        "any": interval(len(any_), len(ecgs)),
        "withheld": interval(sure, len(ecgs)),
        "who": any_,
    }


def compared(ecgs: list[Ecg], measured: list[dict[str, float]], change: Change) -> dict[str, str]:
    """Measure ECGs after a change that leaves the heart as it is, and compare."""
    moved: dict[str, list[float]] = {"qrs_ms": [], "pr_ms": [], "qt_ms": []}
    turns = n = 0
    for ecg, before in zip(ecgs, measured, strict=True):
        try:
            after = measure_ecg(change(ecg)).values
        except DataError:
            continue
        n += 1
        for name, own in moved.items():
            if np.isfinite(after[name] - before[name]):
                own.append(after[name] - before[name])
        turns += sum(
            after[name] != before[name] for name in ("lbbb", "rbbb") if np.isfinite(after[name])
        )
    words = {
        name: f"{np.mean(own):+.1f} ± {np.std(own):.1f}, at most {np.abs(own).max():.1f} "
        f"(n {len(own)})"
        for name, own in moved.items()
    }
    return {"measured": f"{n} of {len(ecgs)}", **words, "lbbb and rbbb that turn": str(turns)}


def at_rate(rate_hz: float) -> Change:
    """Resample, as a recorder of that rate would have it."""

    def made(ecg: Ecg) -> Ecg:
        signal_mv, _ = resample(ecg.signal_mv, ecg.rate_hz, rate_hz)
        return replace(ecg, signal_mv=signal_mv.astype(np.float32), rate_hz=rate_hz)

    return made


def through_csv(ecg: Ecg) -> Ecg:
    """Write as text with four digits, and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ecg.csv"
        head = ",".join(f"{lead} [mV]" for lead in ecg.leads)
        table = "\n".join(",".join(f"{value:.4f}" for value in row) for row in ecg.signal_mv.T)
        path.write_text(f"# rate_hz={ecg.rate_hz:g}\n{head}\n{table}\n", encoding="utf-8")
        return read_ecg(path)


def main() -> None:
    """Test, and print or write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--changed", type=int, default=60, help="ECGs that are changed")
    parser.add_argument("--only", default="", help="changes whose name holds this")
    asked = parser.parse_args()
    _, reporting = halves(asked.data)
    once = reporting.drop_duplicates("patient_id")
    paths = {str(row.ecg_id): asked.data / f"{row.filename_hr}.hea" for row in once.itertuples()}
    ecgs = {name: read_ecg(path) for name, path in paths.items()}
    changed = list(ecgs.values())[: asked.changed]
    kinds = [one for one in KINDS if asked.only in f"{one[0]}: {one[1]}"]
    made: dict[str, object] = {"changed": tested(changed, kinds)}
    if not asked.only:
        made["as they are"] = accused(ecgs)
        measured = [measure_ecg(ecg).values for ecg in changed]
        made["one lead flat"] = {
            lead: compared(changed, measured, part(lead, lambda row: 0 * row))
            for lead in ("II", "V3", "V6")
        }
        made["at other rates"] = {
            f"{rate_hz:g} Hz": compared(changed, measured, at_rate(rate_hz)) for rate_hz in RATES_HZ
        }
        made["through a CSV of 0.1 µV"] = compared(changed[:20], measured[:20], through_csv)
    text = json.dumps(made, indent=1, ensure_ascii=False)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
