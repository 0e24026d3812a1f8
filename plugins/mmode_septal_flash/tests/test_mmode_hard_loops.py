"""What the default cohort's conditions break: measurements and de-identification against truth.

``python -m plugins.mmode_septal_flash.tests.test_mmode_hard_loops``, run where the repository lies,
stores the result anew.
"""

from __future__ import annotations

import csv
import datetime
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from cardio_core.api import DataError
from cardio_core.testing import call_cardio
from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch
from cardio_mmode_septal_flash.motion import septal_motion
from cardio_mmode_septal_flash.synthetic import synthesize
from cardio_ultrasound import (
    CycleVolume,
    Loop,
    centre_index,
    fit_sector,
    read_loop,
    scan_line,
    shifted_lines,
    with_drawn_r_peaks,
)

STORED = Path(__file__).parent / "stored" / "mmode_hard_loops.json"
EXCURSION = "early_peak_mm"
CONFIDENCE = "septum_confidence"
N_PATIENTS, SEED = 16, 3


def grey(loop: Loop) -> np.ndarray:
    stack = loop.stack()
    return stack if stack.ndim == 3 else stack[..., 1]


def rmse_mm(loop: Loop, facts: dict[str, Any], septum_px: np.ndarray) -> float | None:
    """Return the error of the displacement along the line that is drawn; None where none fits."""
    mm = (facts["mm_per_pixel"],) * 2
    sector = ndimage.binary_fill_holes(grey(loop).max(axis=0) > 6)
    mirrored = facts["held"]["mirrored"]
    try:
        line = scan_line(septum_px, mm, sector, lv_left=mirrored)
    except DataError:
        return None
    lines = shifted_lines(line, septum_px, centre_index(10, 20), 5)
    rr_ms = 1000.0 * (facts["r_s"][1] - facts["r_s"][0])
    since_r = 1000.0 * (np.arange(loop.n_frames) / facts["rate_hz"] - facts["r_s"][0])
    volume = CycleVolume(grey(loop), since_r, rr_ms, mm)
    (mmodes,) = reslice_torch([volume], [list(lines.values())])
    motion = septal_motion(mmodes, line.mm_per_row(500), rr_ms)
    inside = (since_r >= 0) & (since_r < rr_ms)
    trace = np.r_[motion.trace_mm, motion.trace_mm[0]]
    measured = np.interp(since_r[inside], np.linspace(0, rr_ms, trace.size), trace)
    true = np.array(facts["displacement_mm"])
    true = true - np.interp(0.0, since_r, true)
    return round(float(np.sqrt(np.mean((measured - true[inside]) ** 2))), 3)


def measured(*inputs: object, out: Path) -> dict[str, dict[str, str]]:
    """Measure by the command; return the lines by id, or by the file's name where it is a file."""
    mapping = out.with_suffix(".csv")
    said = call_cardio(
        "measure", "--plugin", "mmode_septal_flash", *inputs, "--out", out, "--no-sheets",
        "--mapping", mapping, "--executor", "local:1",
    )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    with (out / "measurements.csv").open(encoding="utf-8") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    if not mapping.exists():
        return rows
    with mapping.open(encoding="utf-8") as stream:
        named = {row["id"]: Path(row["file"]).stem for row in csv.DictReader(stream)}
    return {named.get(name, name): row for name, row in rows.items()}


def number(text: str) -> float | None:
    return round(float(text), 2) if text else None


def peaks(loop: Loop, facts: dict[str, Any]) -> dict[str, int]:
    """Count the R peaks that are read from the drawn ECG, right within one frame."""
    seen = with_drawn_r_peaks(replace(loop, r_times_ms=None, r_source=None))
    found = np.array([] if seen.r_times_ms is None else seen.r_times_ms)
    last_ms = 1000.0 * (loop.n_frames - 1) / facts["rate_hz"]
    true = np.array([1000.0 * at for at in facts["r_s"] if 1000.0 * at <= last_ms])
    frame_ms = 1000.0 / facts["rate_hz"]
    right = [bool(found.size) and np.abs(found - at).min() <= frame_ms for at in true]
    wrong = [np.abs(true - at).min() > frame_ms for at in found]
    return {"true": len(true), "found": int(sum(right)), "invented": int(sum(wrong))}


def study(folder: Path, n_patients: int = N_PATIENTS) -> list[dict[str, Any]]:
    cohort, clean = folder / "cohort", folder / "clean"
    cohort.mkdir()
    synthesize(cohort, n_patients=n_patients, seed=SEED, difficulty="subtle")
    truth = json.loads((cohort / "truth.json").read_text())["studies"]
    given = measured(cohort / "cohort.csv", out=folder / "given")
    found = measured(cohort / "loops", out=folder / "found")
    said = call_cardio("data", "deidentify", cohort / "loops", clean, "--mapping", folder / "m.csv")
    assert said.exit_code == 0, said.stderr
    with (folder / "m.csv").open(encoding="utf-8") as stream:
        names = {Path(row["source"]).stem: row for row in csv.DictReader(stream)}
    rows = []
    for name, facts in truth.items():
        loop = read_loop(cohort / "loops" / f"{name}.dcm")
        septum = np.array(json.loads((cohort / f"septum/{name}.json").read_text())["points_px"])
        after = sorted(clean.rglob(f"{names[name]['name']}.dcm"))
        held = facts["held"]
        row = {
            "study": name,
            "flash_mm": round(facts["flash_mm"], 2),
            "mirrored": held["mirrored"],
            "blood_db": round(held["blood_db"], 1),
            "layout": held["layout"],
            "jpeg_quality": held["jpeg_quality"],
            "rmse_mm": rmse_mm(loop, facts, septum),
            "excursion_mm": number(given[name][EXCURSION]),
            "excursion_files_mm": number(found[name][EXCURSION]),
            "septum_confidence": number(found[name][CONFIDENCE]),
            "flags": given[name]["flags"],
            "flags_files": found[name]["flags"],
            "r_peaks": peaks(loop, facts),
            "deidentified": bool(after),
            "reason": names[name]["reason"],
        }
        if after:
            kept = read_loop(after[0])
            row["rmse_deidentified_mm"] = rmse_mm(kept, facts, septum)
            far = ~ndimage.binary_dilation(fit_sector(loop).mask(), iterations=2)
            row["lit_outside_px"] = int((grey(kept)[:, far] > 0).any(axis=0).sum())
        rows.append(row)
    return rows


def told(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the stored result says in a few numbers."""
    errors = [row["rmse_mm"] for row in rows if row["rmse_mm"] is not None]
    clean = [
        row["rmse_deidentified_mm"] - row["rmse_mm"]
        for row in rows
        if row.get("rmse_deidentified_mm") is not None and row["rmse_mm"] is not None
    ]
    r_peaks = [row["r_peaks"] for row in rows]
    withheld = [row for row in rows if row["excursion_files_mm"] is None]
    return {
        "n": len(rows),
        "rmse_median_mm": float(np.median(errors)),
        "rmse_most_mm": max(errors),
        "within_half_a_mm": sum(error <= 0.5 for error in errors),
        "measured_from_files": len(rows) - len(withheld),
        "no_verdict_from_files": sum("cannot be judged" in row["flags_files"] for row in rows),
        "view_not_recognised": sum("view not recognised" in row["flags_files"] for row in rows),
        "another_view": sum("another view" in row["flags_files"] for row in rows),
        "r_peaks_true": sum(one["true"] for one in r_peaks),
        "r_peaks_found": sum(one["found"] for one in r_peaks),
        "r_peaks_invented": sum(one["invented"] for one in r_peaks),
        "deidentified": sum(row["deidentified"] for row in rows),
        "lit_outside_most_px": max(row.get("lit_outside_px", 0) for row in rows),
        "rmse_change_most_mm": round(float(np.abs(clean).max()), 3) if clean else None,
    }


@pytest.mark.slow
def test_what_was_stored_of_hard_loops_is_still_reached(tmp_path: Path) -> None:
    stored = {row["study"]: row for row in json.loads(STORED.read_text())["loops"]}
    for row in study(tmp_path, 4):
        before = stored[row["study"]]
        assert row["deidentified"] == before["deidentified"]
        assert row["r_peaks"]["invented"] <= before["r_peaks"]["invented"]
        if before["rmse_mm"] is not None:
            assert row["rmse_mm"] <= before["rmse_mm"] + 0.05


def store() -> None:
    """Write the stored result; run by hand where the method or the cohort changes."""
    with tempfile.TemporaryDirectory() as folder:
        rows = study(Path(folder))
    head = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": "python -m plugins.mmode_septal_flash.tests.test_mmode_hard_loops",
        "cohort": {"difficulty": "subtle", "n_patients": N_PATIENTS, "seed": SEED},
        "told": told(rows),
    }
    STORED.write_text(json.dumps(head | {"loops": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store()
