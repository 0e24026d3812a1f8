"""Virtual M-modes by vtkImageReslice on a volume of two dimensions and time.

References
----------
Saiz-Vivo et al. 2023: the plane spanned by the scan line and time, resliced from the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkImagingCore import vtkImageReslice

from cardio_mmode_septal_flash.mmode.time import Interpolation, time_weights
from cardio_ultrasound import CycleVolume, ScanLine

# VTK's helpers are not typed.
_to_vtk: Any = numpy_to_vtk
_to_numpy: Any = vtk_to_numpy


class VtkVolume:
    """A cycle's volume in VTK, imported once for all lines.

    Even frames are resliced in space and time at once. Where they are not even, VTK, whose volumes
    have one spacing, reslices every frame, and time is interpolated afterwards.

    Parameters
    ----------
    volume : CycleVolume
        The cycle.
    """

    def __init__(self, volume: CycleVolume) -> None:
        self._volume = volume
        frames, times = volume.frames, volume.times_ms
        self._even = volume.even
        step_ms = float(np.diff(times).mean()) if self._even else 1.0
        if self._even:
            frames, times = _held(frames, times, step_ms, volume.rr_ms)
        self._flat = np.ascontiguousarray(frames).ravel()  # VTK keeps a pointer to it
        self._start = -float(times[0]) if self._even else 0.0
        self._image = vtkImageData()
        n_frames, n_rows, n_columns = frames.shape
        self._image.SetDimensions(n_columns, n_rows, n_frames)
        self._image.SetSpacing(volume.mm_per_pixel[1], volume.mm_per_pixel[0], step_ms)
        self._image.GetPointData().SetScalars(_to_vtk(self._flat))

    def mmode(
        self, line: ScanLine, n_rows: int, n_columns: int, interpolation: Interpolation = "linear"
    ) -> NDArray[np.uint8]:
        """Return the M-mode of one line, shape (n_rows, n_columns)."""
        if self._even:
            step = self._volume.rr_ms / n_columns
            return self._reslice(line, n_rows, n_columns, step, interpolation)
        n_frames = len(self._volume.frames)
        by_frame = self._reslice(line, n_rows, n_frames, 1.0, interpolation)
        columns = by_frame @ time_weights(self._volume, n_columns)
        return np.asarray(np.floor(columns + 0.5).astype(np.uint8))

    def _reslice(
        self, line: ScanLine, n_rows: int, n_columns: int, step: float, how: Interpolation
    ) -> NDArray[np.uint8]:
        reslice = vtkImageReslice()
        reslice.SetInputData(self._image)
        reslice.SetResliceAxes(self._axes(line))
        reslice.SetOutputDimensionality(2)
        reslice.SetOutputOrigin(0.0, line.from_mm, 0.0)
        reslice.SetOutputSpacing(step, line.mm_per_row(n_rows), 1.0)
        reslice.SetOutputExtent(0, n_columns - 1, 0, n_rows - 1, 0, 0)
        reslice.SetBackgroundLevel(0.0)
        reslice.BorderOff()  # half a pixel beyond the picture is not picture
        if how == "linear":
            reslice.SetInterpolationModeToLinear()
        else:
            reslice.SetInterpolationModeToCubic()
        reslice.Update()
        scalars = _to_numpy(reslice.GetOutput().GetPointData().GetScalars())
        return np.asarray(scalars.reshape(n_rows, n_columns).copy())

    def _axes(self, line: ScanLine) -> Any:
        """Return the output's axes in the volume: x is time, y the line, z square to both."""
        row_mm, column_mm = np.asarray(line.centre_px) * self._volume.mm_per_pixel
        down, right = line.normal
        time, along = np.array([0.0, 0.0, 1.0]), np.array([right, down, 0.0])
        centre = np.array([column_mm, row_mm, self._start])
        axes = vtkMatrix4x4()
        for column, vector in enumerate((time, along, np.cross(time, along), centre)):
            for row in range(3):
                axes.SetElement(row, column, float(vector[row]))
        return axes


def reslice_vtk(
    volume: CycleVolume,
    lines: Sequence[ScanLine],
    *,
    n_rows: int = 500,
    n_columns: int = 500,
    interpolation: Interpolation = "linear",
) -> NDArray[np.uint8]:
    """Return the M-modes of several lines of one cycle.

    Parameters
    ----------
    volume : CycleVolume
        The cycle.
    lines : sequence of ScanLine
        At least one.
    n_rows, n_columns : int
        Along the line, right ventricle first, and in time from the R peak.
    interpolation : {"linear", "cubic"}
        Cubic is Catmull-Rom.

    Returns
    -------
    ndarray of uint8, shape (n_lines, n_rows, n_columns)
        0 outside the picture.

    Examples
    --------
    >>> from cardio_ultrasound import ScanLine
    >>> from cardio_ultrasound import CycleVolume
    >>> frames = np.full((5, 40, 40), 100, np.uint8)
    >>> cycle = CycleVolume(frames, np.arange(5) * 20.0, 80.0, (1.0, 1.0))
    >>> line = ScanLine((20.0, 20.0), (0.0, 1.0), -30.0, 15.0)
    >>> reslice_vtk(cycle, [line], n_rows=10, n_columns=4)[0, :, 0].tolist()
    [0, 0, 100, 100, 100, 100, 100, 100, 100, 100]
    """
    imported = VtkVolume(volume)
    return np.stack([imported.mmode(line, n_rows, n_columns, interpolation) for line in lines])


def _held(
    frames: NDArray[np.uint8], times_ms: NDArray[np.float64], step_ms: float, rr_ms: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Repeat the first and the last frame where the loop begins late or ends early."""
    before = max(int(np.ceil(times_ms[0] / step_ms - 1e-9)), 0)
    after = max(int(np.ceil((rr_ms - times_ms[-1]) / step_ms - 1e-9)), 0)
    if not before and not after:
        return frames, times_ms
    held = np.concatenate([frames[:1]] * before + [frames] + [frames[-1:]] * after)
    return held, times_ms[0] + step_ms * (np.arange(len(held)) - before)
