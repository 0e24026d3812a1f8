"""The view gate: what it says of plain phantoms, of nothing, and without the training extra."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cardio_ultrasound import VIEW_NAMES, VIEW_TITLES, Loop, Sector, view_of, view_of_frames
from cardio_ultrasound.readers.arrays import ArraySource
from cardio_ultrasound.view_network import CALIBRATION, WEIGHTS

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
try:
    from view_gate.blobs import blob_phantom
    from view_gate.hearts import draw_heart, levels, plane_of
    from view_gate.looks import scanned_phantom
    from view_gate.maps import level_map, shown
    from view_gate.outlines import outlined_phantom
    from view_gate.ovals import oval_phantom
    from view_gate.train import calibrated
finally:
    sys.path.pop(0)

DIGEST = "5291c6681cb6c1e1f629dca5f1ea27d68f1cb73718b7811cd2e79a899acbfcf9"


def loop_of(frames: np.ndarray) -> Loop:
    n_frames, *size = frames.shape
    times_ms = np.arange(n_frames) * 40.0
    return Loop("made", ArraySource(frames), n_frames, tuple(size), times_ms, "stated")


def noise(seed: int) -> Loop:
    mask = Sector(depth_mm=60.0, n_rows=110, n_columns=128).mask()
    rng = np.random.default_rng(seed)
    return loop_of(rng.integers(0, 200, (4, 110, 128), dtype=np.uint8) * mask)


def test_the_weights_are_those_that_were_measured():
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == DIGEST
    assert WEIGHTS.stat().st_size < 5e6
    assert tuple(VIEW_TITLES) == VIEW_NAMES
    assert CALIBRATION.is_file()


@pytest.mark.parametrize("kind", ["a4c", "plax", "psax"])
def test_a_plain_phantom_is_named_rightly_or_not_at_all(kind):
    said = [
        view_of(loop_of(scanned_phantom(kind, np.random.default_rng(seed), 2).frames)).name
        for seed in range(6)
    ]
    assert set(said) <= {kind, "unknown"}
    assert said.count(kind) >= 3


def test_a_mirrored_four_chamber_view_is_no_other_view():
    for seed in range(6):
        frames = scanned_phantom("a4c", np.random.default_rng(seed), 2).frames
        assert view_of(loop_of(frames[:, :, ::-1].copy())).name in ("a4c", "unknown")


def test_nothing_to_see_is_no_view():
    assert view_of(loop_of(np.zeros((3, 60, 80), np.uint8))).name == "unknown"
    assert {view_of(noise(seed)).name for seed in range(4)} <= {"unknown", "other"}
    flat = np.full((2, 60, 80), 90, np.uint8)
    assert view_of_frames(flat, np.ones((60, 80), bool)).name == "unknown"


def test_colour_over_the_tissue_is_not_looked_at():
    seen = view_of(replace(noise(0), colour_doppler=True))
    assert (seen.name, seen.known) == ("unknown", False)
    assert "colour" in seen.sentence


def test_pixels_that_are_not_square_change_no_view():
    frames = scanned_phantom("a4c", np.random.default_rng(1), 2).frames
    narrow = replace(loop_of(frames[:, :, ::2].copy()), mm_per_pixel=(0.5, 1.0))
    assert view_of(narrow).name in ("a4c", "unknown")


def test_a_mirrored_loop_gets_the_same_answer():
    for kind in ("plax", "subcostal", "a3c"):
        frames = outlined_phantom(kind, np.random.default_rng(2), 2).frames
        mask = frames.max(axis=0) > 0
        seen = view_of_frames(frames, mask)
        mirrored = view_of_frames(frames[:, :, ::-1].copy(), mask[:, ::-1].copy())
        assert mirrored.name == seen.name
        assert mirrored.probability == pytest.approx(seen.probability, abs=0.02)


def test_a_map_looks_otherwise_every_time_and_fills_a_sector():
    maps = torch.from_numpy(np.stack([level_map("a4c", np.random.default_rng(0))[0]] * 4))
    generator = torch.Generator().manual_seed(0)
    first, second = shown(maps, 64, generator), shown(maps, 64, generator)
    assert first.shape == (4, 64, 64)
    assert (first - second).abs().mean() > 0.1
    for picture in torch.cat([first, second]):
        inside = picture != 0
        assert 0.2 < inside.float().mean() < 0.8
        assert picture[inside].std() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("view", ["a4c", "plax"])
def test_a_plain_loop_of_any_renderer_keeps_its_view(view):
    for draw in (outlined_phantom, blob_phantom, oval_phantom):
        phantom = draw(view, np.random.default_rng(3), 2)
        assert phantom.target == {view: 1.0}
        assert phantom.frames.shape == (2, *phantom.mask.shape)
        assert not phantom.frames[:, ~phantom.mask].any()


def right_share(view: str, seed: int) -> float:
    """Return the share of a plane that is blood of the right ventricle, beyond the septum."""
    rng = np.random.default_rng(seed)
    heart = replace(draw_heart(rng), lead=False)
    plane = plane_of(view, heart, rng)
    range_mm, angle = np.linspace(1, plane.depth_mm, 80), np.radians(np.linspace(-35, 35, 60))
    points = plane.points(range_mm, angle).astype(np.float32)
    level, _ = levels(heart, points)
    septal = points @ np.array([-0.93, 0.37, 0.0]) > heart.outer + 2.0
    blood = level == np.float32(heart.blood_db)
    return float((septal & blood & (points[:, 2] > 8)).mean())


def test_the_right_ventricle_is_in_the_four_chamber_plane_and_not_in_the_two_chamber_one():
    four = [right_share("a4c", seed) for seed in range(12)]
    two = [right_share("a2c", seed) for seed in range(12)]
    # A wide heart in a narrow sector may leave it outside.
    assert sum(share > 0.005 for share in four) >= 9
    assert max(two) < 0.001


def test_the_least_probability_keeps_wrong_names_to_one_in_a_hundred():
    # 1000 loops of two views, half of them sure; 15 of the unsure ones are wrong.
    sure, unsure = np.array([9.0, 0.0]), np.array([1.2, 0.0])
    logits = np.concatenate([np.tile(sure, (500, 1)), np.tile(unsure, (500, 1))])
    targets = np.tile(np.array([1.0, 0.0], np.float32), (1000, 1))
    targets[-15:] = targets[-15:, ::-1]
    temperature, least = calibrated(logits, targets)
    peak = 1.0 / (1.0 + np.exp(-1.2 / temperature))
    assert least > peak - 1e-9
