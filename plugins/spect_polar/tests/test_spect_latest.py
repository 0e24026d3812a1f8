"""The latest segment: which it is, how sure that is, and whether the certainty is deserved."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from spect_measures_study import drawn_heart

from cardio_spect_polar.phase.cycle.harmonics import first_harmonic
from cardio_spect_polar.phase.cycle.uncertainty import phase_uncertainty
from cardio_spect_polar.phase.indices.latest import (
    METHOD_DEG,
    latest_segment,
    lead_targets,
    segment_errors,
)
from cardio_spect_polar.phase.indices.summary import summarise
from cardio_spect_polar.phase.sampling.heart_sampling import sample_heart
from cardio_spect_polar.polar.segment_names import LEAD_TARGETS, TERRITORIES, WALLS
from cardio_spect_polar.polar.segments import segment_means, segments_of
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.phantom.imaging import draw_camera, image
from cardio_spect_polar.synthetic.phantom.truth import Truth

STORED = Path(__file__).parent / "stored" / "latest_segment.json"
N_HEARTS = 300
RINGS, RAYS = 26, 40
ARC = (np.arange(RINGS) + 0.5) / RINGS
SEGMENTS = segments_of(ARC[:, None], np.arange(RAYS) * 9.0)
EVEN = np.ones((RINGS, RAYS))


def phases(**late: float) -> np.ndarray:
    """Return 17 phases of 120 degrees, but for segments named ``s5=180``."""
    found = np.full(17, 120.0)
    for name, value in late.items():
        found[int(name[1:]) - 1] = value
    return found


def test_every_segment_belongs_to_one_wall_and_one_territory() -> None:
    for groups in (WALLS, TERRITORIES):
        assert sorted(n for numbers in groups.values() for n in numbers) == list(range(1, 18))
    # Cerqueira et al. 2002, figure 4.
    assert TERRITORIES["lad"] == (1, 2, 7, 8, 13, 14, 17)
    assert TERRITORIES["rca"] == (3, 4, 9, 10, 15)


def test_the_certainty_of_one_of_two_is_that_of_their_difference() -> None:
    found = latest_segment(phases(s5=166, s6=160), np.full(17, 80.0), np.full(17, 5.0), of=(5, 6))
    assert (found.segment, found.next_segment) == (5, 6)
    assert found.ahead_deg == pytest.approx(6)
    assert found.sure_pct == pytest.approx(100 * stats.norm.cdf(6 / math.hypot(5, 5)), abs=0.01)


def test_equally_late_segments_share_the_certainty() -> None:
    found = latest_segment(
        phases(s5=160, s6=160, s11=160), np.full(17, 80.0), np.full(17, 4.0), of=(5, 6, 11)
    )
    assert found.segment == 5
    assert found.sure_pct == pytest.approx(100 / 3, abs=0.01)
    assert found.ahead_deg == 0


def test_the_certainty_is_the_share_of_draws_in_which_it_is_the_latest() -> None:
    rng = np.random.default_rng(4)
    mean, error = rng.normal(150, 10, 17), rng.uniform(2, 9, 17)
    draws = rng.normal(mean, error, (40_000, 17)).argmax(axis=1) + 1
    found = latest_segment(mean, np.full(17, 80.0), error)
    assert found.sure_pct == pytest.approx(100 * np.mean(draws == found.segment), abs=0.8)


def test_late_across_zero_degrees_is_late() -> None:
    found = latest_segment(
        np.where(np.arange(17) == 4, 10.0, 350.0), np.full(17, 80.0), np.full(17, 2.0)
    )
    assert found.segment == 5
    assert found.ahead_deg == pytest.approx(20)


def test_a_lead_goes_to_no_septum_no_apex_and_no_scar() -> None:
    late = phases(s3=220, s17=210, s16=205, s5=200, s6=190, s12=182)
    perfusion = np.full(17, 80.0)
    perfusion[4] = 40
    sure = np.full(17, 1.0)
    assert latest_segment(late, perfusion, sure).segment == 3
    target = latest_segment(late, perfusion, sure, of=LEAD_TARGETS, viable=True)
    assert (target.segment, target.next_segment) == (6, 12)
    # 190 and 182 degrees; 180 would be in, 179 not.
    assert lead_targets(late, perfusion) == (6, 12)
    assert lead_targets(phases(s5=190, s6=180, s11=179.9), np.full(17, 80.0)) == (5, 6)
    assert lead_targets(late, np.full(17, 20.0)) == ()


def noisy(rng: np.random.Generator, block: int, n_slots: int = 16) -> np.ndarray:
    """Return synchronous curves with noise of 10 that is the same in `block` rays."""
    middles = 2 * np.pi * (np.arange(n_slots) + 0.5) / n_slots
    noise = rng.normal(0, 10, (n_slots, RINGS, RAYS // block)).repeat(block, axis=2)
    return 200 + 40 * np.cos(middles - 2.3)[:, None, None] + noise


@pytest.mark.parametrize("block", [1, 4])
def test_the_error_of_a_segment_is_the_scatter_of_its_mean(block: int) -> None:
    rng = np.random.default_rng(block)
    means, errors = [], []
    for _ in range(60):
        curves = noisy(rng, block)
        phase = first_harmonic(curves).phase_deg
        means.append(segment_means(phase, SEGMENTS, circular=True))
        errors.append(segment_errors(curves, phase_uncertainty(curves), SEGMENTS, EVEN))
    scatter = np.sqrt(np.var(means, axis=0, ddof=1).mean())
    stated = np.sqrt(np.mean(np.square(errors)) - METHOD_DEG**2)
    assert stated == pytest.approx(scatter, rel=0.12)


def test_without_noise_the_error_is_that_of_the_method() -> None:
    curves = noisy(np.random.default_rng(0), 1)
    still = 200 + 0 * curves + np.cos(np.arange(16) / 8 * np.pi)[:, None, None]
    found = segment_errors(still, phase_uncertainty(still), SEGMENTS, EVEN)
    assert found == pytest.approx(np.full(17, METHOD_DEG), abs=1e-3)


def judged(seed: int) -> dict[str, tuple[float, float]]:
    """Image and measure a heart unattended; say what was claimed, in percent, and what was so.

    What was so: by how many degrees the truly latest segment is later than the one that was named,
    among those that a lead reaches (``target``) and among all (``any``).
    """
    rng = np.random.default_rng([16, seed])
    ventricle = drawn_heart(rng)
    counts, voxel_mm, truth = image(ventricle, rng, draw_camera(rng, n_rows=46, n_columns=46))
    heart = sample_heart(GatedStack(counts.astype(np.float32), voxel_mm, apex_first=False))
    found = summarise(heart.sampled.curves, heart.sampled.geometry).indices
    viable = [n for n in LEAD_TARGETS if truth.segment_perfusion[n - 1] >= 0.5]
    named = int(found["latest_viable_segment"]), int(found["latest_segment"])
    return {
        "target": (found["latest_viable_sure_pct"], behind(truth, named[0], viable)),
        "any": (found["latest_sure_pct"], behind(truth, named[1], range(1, 18))),
    }


def behind(truth: Truth, segment: int, of: Iterable[int]) -> float:
    """Return by how many degrees the truly latest of some segments is later than one."""
    later = (truth.segment_phase_deg - truth.segment_phase_deg[segment - 1] + 180) % 360 - 180
    return float(max(later[n - 1] for n in of))


def study() -> dict[str, Any]:
    """Return claims and truth by class of certainty."""
    found = [judged(seed) for seed in range(N_HEARTS)]
    made = f"{date.today()}, drawn hearts of 0 to 14 mm shortening, 25 to 200 counts a voxel"
    kinds = ("target", "any")
    return {"made": made, "n": N_HEARTS} | {
        kind: classes_of(np.array([one[kind] for one in found])) for kind in kinds
    }


def classes_of(pairs: np.ndarray) -> list[dict[str, float]]:
    """Return how often each class of certainty, and the last of them all, was right."""
    sure, late = pairs.T
    classes = []
    for low, high in ((0, 40), (40, 60), (60, 80), (80, 100), (0, 100)):
        inside = (sure >= low) & (sure <= high if high == 100 else sure < high)
        classes.append({
            "from_pct": low, "to_pct": high, "n": int(inside.sum()),
            "mean_sure_pct": round(float(sure[inside].mean()), 1),
            "right_pct": round(100 * float((late[inside] <= 1e-6).mean()), 1),
            "within_5_deg_pct": round(100 * float((late[inside] <= 5).mean()), 1),
        })  # fmt: skip
    return classes


def check_study(found: dict[str, Any]) -> None:
    """A certainty is deserved where the claim is right as often as it says."""
    for kind in ("target", "any"):
        *classes, everybody = found[kind]
        assert everybody["n"] == found["n"] == N_HEARTS
        assert abs(everybody["right_pct"] - everybody["mean_sure_pct"]) <= 8
        for one in classes:
            # Two standard errors of a share of so many hearts, and five points.
            slack = 5 + 200 * math.sqrt(0.25 / one["n"])
            assert abs(one["right_pct"] - one["mean_sure_pct"]) <= slack
        assert classes[-1]["n"] >= 30
        assert classes[-1]["within_5_deg_pct"] >= {"target": 95, "any": 90}[kind]


def test_the_stored_study_shows_that_the_certainty_is_deserved() -> None:
    check_study(json.loads(STORED.read_text("utf-8")))


@pytest.mark.slow
def test_the_certainty_is_deserved() -> None:
    check_study(study())


if __name__ == "__main__":
    STORED.write_text(json.dumps(study(), indent=1, ensure_ascii=False) + "\n", "utf-8")
