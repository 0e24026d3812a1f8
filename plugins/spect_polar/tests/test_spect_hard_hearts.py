"""Hearts with everything at once that makes real studies hard, and what is measured of them.

`draw_hard` says what they are. Sixty of them go through NM DICOM and are found and sampled
unattended, without noise and with it. A study that is refused, or whose phases are withheld, counts
as such; errors are those of the others.

Slow: what came out last is stored with its date. To store it anew:
``python plugins/spect_polar/tests/test_spect_hard_hearts.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spect_accuracy import compare, ends, through_dicom
from test_spect_accuracy import rounded

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.readers.gated import GatedStack, withheld
from cardio_spect_polar.synthetic.imaging import DEFECTS, Camera, draw_hard, image
from cardio_spect_polar.synthetic.ventricle import Ventricle, with_segments

STORED = Path(__file__).parent / "stored" / "phantom_hard.json"
N_HEARTS = 60
JUMP = 0.09
"""Gates that differ by more have a jump of counts; without one they differ by up to 8 %."""

WITHIN_ONE_SLICE = 0.95
PSD_MEDIAN_DEG = {"noise-free": 2.0, "noisy": 3.0}
SMALL = Camera(n_rows=40, n_columns=40, n_slots=8)


def measure(seed: int) -> dict[str, Any]:
    """Measure one hard heart without noise and with it."""
    rng = np.random.default_rng([seed, 31])
    ventricle, camera = draw_hard(rng)
    made: dict[str, Any] = {
        "seed": seed,
        "shortening_mm": ventricle.shortening_mm,
        "counts": camera.counts_per_voxel,
        "n_slots": camera.n_slots,
        "jump": max(camera.slot_gain) / min(camera.slot_gain) - 1 > JUMP,
    }
    for name, noise in (("noise-free", None), ("noisy", rng)):
        counts, voxel_mm, truth = image(ventricle, noise, camera)
        try:
            heart = through_dicom(counts, voxel_mm)
        except DataError as error:
            made[name] = {"refused": str(error)}
            continue
        found = compare(heart.sampled, truth) | ends(heart, truth)
        made[name] = {k: v for k, v in found.items() if k not in ("sample_deg", "spread_deg")}
        made[name]["flags"] = [str(flag) for flag in heart.flags]
        made[name]["withheld"] = sorted(withheld(heart.flags))
    return made


def summary(made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the errors of hearts without a jump of counts, and of those with one."""
    return {
        f"{kind}, {counts}": errors([m[kind] for m in made if m["jump"] == jump])
        for kind in ("noise-free", "noisy")
        for counts, jump in (("even counts", False), ("count jump", True))
    }


def errors(made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return median, 95 % and worst of the absolute errors, and how many say nothing."""
    names = ("psd_deg", "psd_corrected_deg", "pbw_deg", "pbw_corrected_deg", "ef_points",
             "base_ed_slices", "base_es_slices")  # fmt: skip
    measured = [m for m in made if "refused" not in m]
    kept = [m for m in measured if "phase" not in m["withheld"]]
    found: dict[str, Any] = {
        "n": len(made),
        "refused": len(made) - len(measured),
        "withheld": len(measured) - len(kept),
    }
    for name in names:
        off = np.abs([m[name] for m in kept])
        levels = np.percentile(off, [50, 95, 100]).round(2).tolist() if kept else [np.nan] * 3
        found[name] = dict(zip(("median", "95 %", "worst"), levels, strict=True))
        if name.startswith("base"):
            found[name]["within one slice"] = round(float(np.mean(off <= 1)), 3)
    return found


def study() -> dict[str, Any]:
    """Measure sixty."""
    made = [measure(seed) for seed in range(N_HEARTS)]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "summary": summary(made),
        "hearts": rounded(made),
    }


def check_study(made: dict[str, Any]) -> None:
    """Hold a study against what users may rely on."""
    assert len(made["hearts"]) == N_HEARTS
    for kind in ("noise-free", "noisy"):
        found = made["summary"][f"{kind}, even counts"]
        assert found["psd_corrected_deg"]["median"] <= PSD_MEDIAN_DEG[kind]
        for end in ("base_ed_slices", "base_es_slices"):
            assert found[end]["within one slice"] >= WITHIN_ONE_SLICE


def test_liver_and_gut_lie_below_the_heart_and_do_not_beat() -> None:
    """A Gaussian of activity 1 and standard deviation s holds (2 pi)^1.5 s^3; blur keeps it."""
    plain = Ventricle(offset_mm=(-20.0, 10.0), background=0.0, blood=0.0)
    camera = replace(SMALL, n_rows=64, n_columns=64, n_slices=40)
    alone = image(plain, None, camera)[0]
    for what, sd_mm in (("liver", 26.0), ("gut", 13.0)):
        bright = replace(plain, **{f"{what}_activity": 1.0, f"{what}_distance_mm": 45.0})
        more = image(bright, None, camera)[0] - alone
        assert more.min() > -1e-9
        assert np.ptp(more, axis=0).max() < 1e-9
        # The muscle's own counts tell how many a unit of activity and volume has.
        assert more[0].sum() * 6.4**3 == pytest.approx(
            (2 * np.pi) ** 1.5 * sd_mm**3 * counts_of_activity(plain, camera, alone), rel=0.02
        )
        rows = np.arange(64)
        below = (more[0].sum(axis=(0, 2)) @ rows) / more[0].sum()
        heart = (alone[0].sum(axis=(0, 2)) @ rows) / alone[0].sum()
        assert below - heart > 45 / 6.4


@pytest.mark.parametrize(
    "organ",
    [
        {"liver_activity": 1.1, "liver_distance_mm": 45.0},
        {"gut_activity": 1.1, "gut_distance_mm": 24.0},
    ],
    ids=["liver", "gut"],
)
def test_a_defect_into_which_an_organ_shines_carries_no_phase(organ: dict[str, float]) -> None:
    """In systole the wall moves away from the organ, and its samples turn by 180 degrees."""
    alone = Ventricle(perfusion=with_segments((1.0,) * 17, DEFECTS[1], 0.35))
    for heart, merges in ((alone, False), (replace(alone, **organ), True)):
        counts, voxel_mm, truth = image(heart, None, SMALL)
        found = sample_heart(GatedStack(counts.astype(np.float32), voxel_mm, apex_first=False))
        curves, geometry = found.sampled.curves, found.sampled.geometry
        rays = np.nonzero(geometry.merged)[1] * 360 / geometry.merged.shape[1]
        assert bool(len(rays)) == merges
        assert np.all((rays >= 60) & (rays <= 240))
        indices = summarise(curves, geometry).indices
        assert abs(indices["psd_deg"] - truth.psd_deg) < 0.5
        left_in = summarise(curves, replace(geometry, merged=np.False_)).indices
        assert (left_in["psd_deg"] > truth.psd_deg + 10) == merges


def counts_of_activity(heart: Ventricle, camera: Camera, alone: np.ndarray) -> float:
    """Return the counts a voxel of activity 1, from the wall's volume: of revolution."""
    u = np.linspace(0, np.pi / 2, 2001)
    short, long, thick = heart.radius_mm, heart.length_mm, heart.thickness_mm
    stretch = np.hypot(short * np.sin(u), long * np.cos(u))
    radius = np.cos(u) * (short + thick * long / stretch)
    depth = np.sin(u) * (long + thick * short / stretch)
    discs = (radius[1:] ** 2 + radius[:-1] ** 2) / 2 * np.diff(depth)
    shell = np.pi * discs.sum() - 2 / 3 * np.pi * short**2 * long
    return float(alone[0].sum() * np.prod(camera.voxel_mm) / shell)


def test_a_jump_of_counts_and_empty_slices_are_what_was_asked() -> None:
    gain = (1.0, 1.0, 1.3, 1.3, 1.0, 1.0, 1.0, 1.0)
    plain = image(Ventricle(), None, SMALL)[0]
    jumped = image(Ventricle(), None, replace(SMALL, slot_gain=gain))[0]
    assert jumped == pytest.approx(plain * np.array(gain)[:, None, None, None])
    empty = image(Ventricle(), None, replace(SMALL, empty_ends=((3, 2, 1),)))[0]
    assert empty[3, :2].max() == empty[3, -1:].max() == 0
    assert np.array_equal(np.delete(empty, 3, axis=0), np.delete(plain, 3, axis=0))


def test_hard_hearts_have_all_that_makes_studies_hard() -> None:
    drawn = [draw_hard(np.random.default_rng(seed)) for seed in range(200)]
    hearts, cameras = zip(*drawn, strict=True)
    voxels = [camera.voxel_mm[0] for camera in cameras]
    assert min(voxels) < 3.2
    assert max(voxels) > 6.6
    assert {camera.n_slots for camera in cameras} == {8, 16}
    assert min(heart.radius_mm for heart in hearts) < 19
    assert max(heart.radius_mm for heart in hearts) > 41
    shortening = [heart.shortening_mm for heart in hearts]
    assert min(shortening) < 1
    assert 13 < max(shortening) <= 14
    jumps = [max(camera.slot_gain) / min(camera.slot_gain) > 1.15 for camera in cameras]
    for share in (
        np.mean(jumps),
        np.mean([bool(camera.empty_ends) for camera in cameras]),
        np.mean([heart.liver_activity > 0.5 for heart in hearts]),
        np.mean([heart.gut_activity > 0.4 for heart in hearts]),
        np.mean([heart.short_septum_mm > 4 for heart in hearts]),
        np.mean([len(set(heart.delay_rr)) > 1 for heart in hearts]),
    ):
        assert 0.15 < share < 0.65
    darker = {tuple(np.flatnonzero(np.array(h.perfusion) < 1) + 1) for h in hearts}
    assert darker == set(DEFECTS)


def test_stored_hard_hearts_meet_what_the_page_says() -> None:
    check_study(json.loads(STORED.read_text(encoding="utf-8")))


@pytest.mark.slow
def test_hard_hearts_are_measured_as_the_page_says() -> None:
    check_study(study())


if __name__ == "__main__":
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text(json.dumps(study(), indent=1, ensure_ascii=False) + "\n", "utf-8")
