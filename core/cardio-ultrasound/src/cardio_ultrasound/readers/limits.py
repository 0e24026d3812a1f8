"""Limits that hold before anything is decoded, and what to say of a package that is not there."""

from __future__ import annotations

from cardio_core.compute.resource_errors import install_extra
from cardio_stats.errors import ConfigError, unusable
from cardio_stats.limits import MAX_FRAME_PIXELS

MAX_LOOP_BYTES = 3_500_000_000
"""Decoded size that a header may claim: 2,000 colour frames of 600 × 800 are 2.9 GB."""

MIN_FRAMES = 2
MAX_FRAMES = 100_000
"""Of each frame its place and its time are kept: 50 s at 2,000 frames a second."""


def not_installed(what: str, package: str, extra: str) -> ConfigError:
    """Build the error for a package of an extra that is not installed.

    Examples
    --------
    >>> print(not_installed("a DICOM loop", "pydicom", "dicom"))  # doctest: +ELLIPSIS
    a DICOM loop needs pydicom, which is not installed; pip install "...core[dicom]"...
    """
    return ConfigError(
        f"{what} needs {package}, which is not installed; {install_extra(extra)}",
        code="not_installed",
    )


def require_size(
    name: str, n_frames: int, n_rows: int, n_columns: int, n_samples: int, max_bytes: int
) -> None:
    """Check a header's claim before anything is decoded.

    `n_samples` are of 8 bits; `max_bytes` limits the product of all four numbers.

    Raises
    ------
    DataError
        A still image, an empty one, over `MAX_FRAMES`, one frame over `MAX_FRAME_PIXELS`, or a loop
        over `max_bytes`.
    """
    if n_rows < 1 or n_columns < 1:
        raise unusable(name, "rows and columns", "none", "export the loop again")
    if n_frames < MIN_FRAMES:
        found = "a still image" if n_frames == 1 else "no frame"
        raise unusable(
            name,
            f"a loop of at least {MIN_FRAMES} frames",
            found,
            "choose the clip of this view",
            code="too_few",
        )
    if n_rows * n_columns > MAX_FRAME_PIXELS:
        raise unusable(
            name,
            f"at most {MAX_FRAME_PIXELS} pixels a frame",
            f"{n_rows} × {n_columns}",
            "export the loop at its own size",
        )
    n_bytes = n_frames * n_rows * n_columns * n_samples
    if n_bytes > max_bytes:
        raise unusable(
            name,
            f"at most {max_bytes / 1e9:.3g} GB of frames",
            f"{n_bytes / 1e9:.3g} GB ({n_frames} frames of {n_rows} × {n_columns})",
            "cut the loop into shorter ones",
            code="too_large",
        )
    if n_frames > MAX_FRAMES:
        raise unusable(
            name, f"at most {MAX_FRAMES} frames", f"{n_frames}", "cut the loop into shorter ones"
        )
