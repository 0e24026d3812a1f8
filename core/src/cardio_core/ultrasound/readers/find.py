"""Find the loops of a folder."""

from __future__ import annotations

from pathlib import Path

from cardio_core.errors import DataError
from cardio_core.ultrasound.readers.read import POLAR_SUFFIXES, VIDEO_SUFFIXES, is_dicom

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
        raise DataError(f"{root.name}: expected a folder of loops, found none; check the path")
    return tuple(sorted(path for path in root.rglob("*") if _may_be_loop(path, root)))


def _may_be_loop(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    if hidden or not path.is_file() or path.name in _NO_LOOPS:
        return False
    return path.suffix.lower() in _BY_SUFFIX or is_dicom(path)
