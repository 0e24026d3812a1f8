"""An operator's base and apex: at end-diastole or gate by gate, from a sidecar or a setting."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.readers.studies import read_gated
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import Ventricle
from cardio_spect_polar.synthetic.write_nm import write_nm


@cache
def imaged() -> tuple[np.ndarray, tuple[float, float, float], Truth]:
    ventricle = Ventricle(rv_activity=0.3, shortening_mm=10.0)
    return image(ventricle, None, Camera(n_rows=40, n_columns=40))


def test_one_number_is_the_base_at_end_diastole_and_the_motion_is_found() -> None:
    counts, voxel_mm, truth = imaged()
    marked = float(truth.base_by_slot_mm.min()) + 4.0
    heart = sample_heart(GatedStack(counts, voxel_mm, apex_first=False, base_mm=marked))
    assert heart.base_by_slot_mm.min() == pytest.approx(marked)
    assert heart.descent_mm == pytest.approx(np.ptp(truth.base_by_slot_mm), abs=1.5)
    # The outermost ring lies half a slice within the base, in every gate.
    for slot in range(8):
        ring = heart.geometry_at(slot).points_mm[-1, :, 0].mean()
        assert ring - heart.base_by_slot_mm[slot] == pytest.approx(voxel_mm[0] / 2, abs=0.5)


def test_one_number_a_gate_is_the_motion_itself_in_either_order_of_slices() -> None:
    counts, voxel_mm, truth = imaged()
    last_mm = (counts.shape[1] - 1) * voxel_mm[0]
    marked = truth.base_by_slot_mm + np.array([0, 1, 0, -1, 0, 1, 0, -1.0])
    straight = GatedStack(counts, voxel_mm, apex_first=False, base_mm=tuple(marked))
    turned = GatedStack(counts[:, ::-1], voxel_mm, apex_first=True, base_mm=tuple(last_mm - marked))
    for stack in (straight, turned):
        assert sample_heart(stack).base_by_slot_mm == pytest.approx(marked)


def test_as_many_numbers_as_gates_are_asked_for() -> None:
    counts, voxel_mm, _ = imaged()
    stack = GatedStack(counts, voxel_mm, apex_first=False, base_mm=(40.0, 41.0))
    with pytest.raises(DataError, match="one for each of 8 time slots, found 2"):
        sample_heart(stack)


def test_limits_that_lie_the_wrong_way_round_are_told_by_the_end_of_the_apex() -> None:
    counts, voxel_mm, _ = imaged()
    for apex_first, said in ((False, "larger"), (True, "smaller")):
        limits = (100.0, 40.0) if said == "larger" else (40.0, 100.0)
        stack = GatedStack(
            counts, voxel_mm, apex_first=apex_first, base_mm=limits[0], apex_mm=limits[1]
        )
        with pytest.raises(DataError, match=f"that is {said} than the base"):
            sample_heart(stack)


def test_limits_come_from_a_setting_where_the_sidecar_has_none(tmp_path: Path) -> None:
    path = tmp_path / "study.dcm"
    counts = np.random.default_rng(0).poisson(60, (8, 12, 16, 16))
    write_nm(path, counts, (6.4, 6.4, 6.4))
    given = read_gated(path, base_mm=12.0, apex_mm=70.0)
    assert (given.base_mm, given.apex_mm) == (12.0, 70.0)
    path.with_suffix(".json").write_text('{"base_mm": [6, 6, 7, 8, 9, 8, 7, 6]}')
    given = read_gated(path, base_mm=12.0, apex_mm=70.0)
    assert given.base_mm == (6.0, 6.0, 7.0, 8.0, 9.0, 8.0, 7.0, 6.0)
    assert given.apex_mm == 70.0


def test_limits_of_slices_that_are_turned_first_are_left_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "study.dcm"
    counts, voxel_mm, _ = imaged()
    write_nm(path, np.moveaxis(counts, 1, 2), voxel_mm, apex_first=False)
    path.with_suffix(".json").write_text('{"long_axis": [0, 0]}')
    stack = read_gated(path, base_mm=12.0)
    assert stack.base_mm is None
    assert any("the limits given were not used" in flag for flag in stack.flags)


def test_a_list_with_something_else_than_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.dcm"
    write_nm(path, np.full((8, 12, 16, 16), 60.0), (6.4, 6.4, 6.4))
    path.with_suffix(".json").write_text('{"base_mm": [6, "7"]}')
    with pytest.raises(DataError, match="each of the base_mm from -500 to 500"):
        read_gated(path)
