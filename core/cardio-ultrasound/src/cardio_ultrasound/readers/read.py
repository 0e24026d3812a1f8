"""Open an ultrasound loop, whatever it is stored as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cardio_core.types.limits import require_fitting
from cardio_stats.errors import DataError, unusable
from cardio_ultrasound.loop import Loop, Rate, read_stated
from cardio_ultrasound.readers.limits import MAX_LOOP_BYTES

VIDEO_SUFFIXES = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm")
POLAR_SUFFIXES = (".npz", ".h5", ".hdf5")


def read_loop(
    path: str | Path,
    *,
    frame_rate_hz: Rate = None,
    r_times_ms: Sequence[float] | None = None,
    mm_per_pixel: tuple[float, float] | None = None,
    spacing_mm: float = 0.3,
    max_bytes: int = MAX_LOOP_BYTES,
) -> Loop:
    """Open an ultrasound loop: DICOM, AVI or MP4, NPY, or beams in NPZ or HDF5.

    Nothing but a few frames is decoded; a video is decoded once, to count its frames. A JSON
    beside the file (``a.json`` for ``a.avi``) may hold ``frame_rate_hz``, ``frame_times_ms``,
    ``mm_per_pixel`` ([row, column]) and ``r_times_ms``. What the caller states goes before the
    JSON, and both before the file itself; a rate that contradicts the file's is flagged.

    Parameters
    ----------
    path : str or Path
        A DICOM file is known by its content, everything else by its suffix.
    frame_rate_hz : float, "container", "unconfirmed" or None
        Rate of acquisition in Hz, 1 to 2000. A video's container holds how fast the video plays: it
        is trusted where ``"container"`` says so, and taken with a flag where ``"unconfirmed"``
        does and nothing else states a time.
    r_times_ms : sequence of float or None
        R peaks in ms from the first frame, ascending; of a cohort table, say.
    mm_per_pixel : tuple of float or None
        Distance of rows, and of columns.
    spacing_mm : float
        Of the pixels that beams are converted to.
    max_bytes : int
        Limit on frames × rows × columns × samples, checked before anything is decoded.

    Returns
    -------
    Loop
        With its times, pixel size, region, R peaks and flags.

    Raises
    ------
    DataError
        The file cannot be used: no loop, damaged, too large, no frame time. One line that names
        the file, and nothing of its header's content.
    ConfigError
        HDF5 without h5py; says which extra to install.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "a.npy"
    >>> np.save(file, np.zeros((5, 40, 30), np.uint8))
    >>> loop = read_loop(file, frame_rate_hz=50, r_times_ms=[20.0])
    >>> loop.n_frames, loop.size, loop.duration_ms, loop.time_source
    (5, (40, 30), 80.0, 'stated')
    >>> read_loop(file)
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.npy: expected the time of every frame, found none; state the \
rate with frame_rate_hz, or in the file's JSON
    """
    path = Path(path)
    if not path.is_file():
        raise unusable(path.name, "a file", "none", "check the path", code="missing")
    require_fitting([path])
    stated = read_stated(path, frame_rate_hz, r_times_ms, mm_per_pixel)
    suffix = path.suffix.lower()
    if is_dicom(path):
        from cardio_ultrasound.readers.dicom import read_dicom_loop

        return read_dicom_loop(path, stated, max_bytes)
    if suffix in VIDEO_SUFFIXES:
        from cardio_ultrasound.readers.video import read_video_loop

        return read_video_loop(path, stated, max_bytes)
    if suffix in POLAR_SUFFIXES:
        from cardio_ultrasound.readers.polar import read_polar_loop

        return read_polar_loop(path, stated, spacing_mm, max_bytes)
    if suffix == ".npy":
        from cardio_ultrasound.readers.arrays import read_npy_loop

        return read_npy_loop(path, stated, max_bytes)
    raise unusable(
        path.name,
        "DICOM (DICM at byte 128), AVI, MP4, NPY, NPZ or HDF5",
        "another kind of file",
        "give it the suffix of its format, or export it as DICOM",
    )


def is_dicom(path: Path) -> bool:
    """Tell a DICOM file by the four letters behind its preamble."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


# Find the loops of a folder.

_BY_SUFFIX = (*VIDEO_SUFFIXES, *POLAR_SUFFIXES, ".npy")
_NO_LOOPS = ("DICOMDIR",)


def find_loops(folder: str | Path) -> tuple[Path, ...]:
    """Find the files that may be ultrasound loops, in a folder and all below it.

    Parameters
    ----------
    folder : str or Path
        A folder; a file is returned as it is.

    Returns
    -------
    tuple of Path
        In the order of their paths: DICOM files of any name (known by ``DICM``; stills and
        reports among them are refused by `read_loop`), videos and arrays by their suffix. Hidden
        files and folders, and ``DICOMDIR``, are passed over.

    Raises
    ------
    DataError
        No such folder.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("b.avi", "a.npy", "a.json", ".hidden.avi"):
    ...     _ = (root / name).write_bytes(b"")
    >>> [path.name for path in find_loops(root)]
    ['a.npy', 'b.avi']
    """
    root = Path(folder)
    if root.is_file():
        return (root,)
    if not root.is_dir():
        raise DataError(
            f"{root.name}: expected a folder of loops, found none; check the path", code="missing"
        )
    return tuple(sorted(path for path in root.rglob("*") if _may_be_loop(path, root)))


def _may_be_loop(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    if hidden or not path.is_file() or path.name in _NO_LOOPS:
        return False
    return path.suffix.lower() in _BY_SUFFIX or is_dicom(path)
