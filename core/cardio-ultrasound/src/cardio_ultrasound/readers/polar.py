"""Loops as beams before scan conversion: NPZ or HDF5.

A file holds ``beams`` (n_frames, n_beams, n_depths; uint8, or numbers from 0 to 255, log
compressed), ``angles_rad`` (n_beams), ``depths_mm`` (n_depths) and ``frame_times_ms`` (n_frames)
or ``frame_rate_hz``; ``r_times_ms`` is optional. Scanners' own polar formats are proprietary:
export to one of these.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError, unusable
from cardio_ultrasound.loop import (
    Loop,
    RSource,
    Stated,
    TimeSource,
    checked_r_times,
    checked_times,
    times_of_rate,
)
from cardio_ultrasound.readers.arrays import array_place
from cardio_ultrasound.readers.limits import not_installed, require_size
from cardio_ultrasound.scan_geometry import ScanConversion, scan_conversion

# What the chunks of an HDF5 array unpack to, before one of them is read.
#
# HDF5 unpacks a chunk as a whole and as far as its deflated stream goes, whatever shape the array
# claims.

MAX_CHUNK_BYTES = 256_000_000
"""One frame is read at a time; a chunk that holds hundreds of them is unpacked for each."""

_DEFLATE, _SHUFFLE, _CHECKSUM, _LZF = 1, 2, 3, 32000
_DEFLATE_RATIO, _LZF_RATIO = 1032, 100
_AGAIN = "save it with chunks of a frame or a few, with gzip or without"


def require_chunks(name: str, key: str, dataset: Any) -> None:
    """Refuse an array whose chunks are too large, or unpack to more than they claim.

    Parameters
    ----------
    name, key : str
        Of the file and the array.
    dataset : h5py.Dataset

    Raises
    ------
    DataError
        A chunk over `MAX_CHUNK_BYTES`; another filter than gzip, lzf, shuffle and checksums, or
        two that compress; a stream that is longer than its chunk.
    """
    if dataset.chunks is None:  # contiguous: it lies in the file as it is
        return
    claimed = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if claimed > MAX_CHUNK_BYTES:
        raise unusable(
            name,
            f"chunks of {key} of at most {MAX_CHUNK_BYTES // 10**6} MB",
            f"{claimed / 1e6:.0f} MB",
            _AGAIN,
        )
    plist = dataset.id.get_create_plist()
    filters = [int(plist.get_filter(n)[0]) for n in range(plist.get_nfilters())]
    packing = [item for item in filters if item in (_DEFLATE, _LZF)]
    if set(filters) - {_DEFLATE, _LZF, _SHUFFLE, _CHECKSUM} or len(packing) > 1:
        raise unusable(name, f"{key} packed by gzip, lzf or not at all", "otherwise", _AGAIN)
    if packing:
        _require_streams(name, key, dataset, claimed, packing[0])


def _require_streams(name: str, key: str, dataset: Any, claimed: int, kind: int) -> None:
    """Look into the chunks that could unpack to more than is harmless."""
    ratio = _DEFLATE_RATIO if kind == _DEFLATE else _LZF_RATIO
    for number in range(dataset.id.get_num_chunks()):
        chunk = dataset.id.get_chunk_info(number)
        if chunk.size * ratio <= MAX_CHUNK_BYTES or chunk.filter_mask:
            continue
        if kind == _LZF or _is_longer(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], claimed):
            raise _unpacks(name, key)


def _is_longer(data: bytes, claimed: int) -> bool:
    """Whether a deflated stream unpacks to more than was claimed."""
    stream, n_bytes = zlib.decompressobj(), 0
    while data and n_bytes <= claimed and not stream.eof:
        block = stream.decompress(data, 1 << 20)
        n_bytes += len(block)
        data = stream.unconsumed_tail
    return n_bytes > claimed


def _unpacks(name: str, key: str) -> DataError:
    return unusable(name, f"chunks of {key} that unpack to their size", "larger ones", _AGAIN)


_MAX_SMALL_BYTES = 10_000_000
_ASK = "write the arrays that the documentation lists"
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
_SMALL = ("angles_rad", "depths_mm", "frame_times_ms", "frame_rate_hz", "r_times_ms")


class Beams(Protocol):
    """An open file of beams."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Frames, beams and depths."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the beams."""

    def small(self, key: str) -> NDArray[np.float64] | None:
        """Read one of the short arrays, or None where it is missing."""

    def frame(self, index: int) -> NDArray[Any]:
        """Read one frame, shape (n_beams, n_depths)."""


@dataclass(frozen=True, eq=False)
class PolarFrames:
    """The frames of a polar loop, converted when they are asked for."""

    _path: Path
    convert: ScanConversion

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield scan-converted frames one by one."""
        with _opener(self._path)(self._path) as beams:
            for index in indices:
                frame = beams.frame(index)
                if frame.dtype.kind == "f" and not (
                    np.isfinite(frame).all() and frame.min() >= 0 and frame.max() <= 255
                ):
                    raise unusable(
                        self._path.name, "beams from 0 to 255", "others", "compress and scale them"
                    )
                grey = self.convert(frame)
                yield np.repeat(grey[..., None], 3, axis=-1) if colour else grey


def read_polar_loop(path: Path, stated: Stated, spacing_mm: float, max_bytes: int) -> Loop:
    """Open a loop of beams, and make its scan conversion.

    HDF5 needs the extra ``[hdf5]``. What is `stated` goes before the file's own times; `spacing_mm`
    is that of the isotropic pixels; `max_bytes` limits the beams and the converted frames, checked
    before they are read.

    Raises
    ------
    DataError
        An array is missing or of the wrong shape, too large, or there is no frame time.
    """
    with _opener(path)(path) as beams:
        if len(beams.shape) != 3 or beams.dtype.kind not in "uf":
            raise unusable(
                path.name, "beams as numbers of shape (frames, beams, depths)", "others", _ASK
            )
        n_frames, n_beams, n_depths = beams.shape
        if beams.dtype.kind == "u" and beams.dtype.itemsize > 1:
            raise unusable(path.name, "beams of 8 bits", f"{beams.dtype}", "scale them to 0 to 255")
        require_size(path.name, n_frames, n_beams, n_depths, beams.dtype.itemsize, max_bytes)
        angles, depths, times, rate, r_times = (beams.small(key) for key in _SMALL)
        if angles is None or depths is None or (angles.size, depths.size) != (n_beams, n_depths):
            raise unusable(
                path.name,
                f"angles_rad of {n_beams} beams and depths_mm of {n_depths} depths",
                "others",
                _ASK,
            )
        beams.frame(n_frames - 1)  # a file that was cut short comes out here
    try:
        convert = scan_conversion(angles, depths, spacing_mm)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    require_size(path.name, n_frames, *convert.size, 1, max_bytes)
    frame_times, time_source, flags = stated.times(
        path.name, n_frames, _own_times(path.name, n_frames, times, rate)
    )
    r_found, r_source = _r_peaks(path.name, r_times, stated)
    return Loop(
        name=path.name,
        source=PolarFrames(path, convert),
        n_frames=n_frames,
        size=convert.size,
        frame_times_ms=frame_times,
        time_source=time_source,
        mm_per_pixel=(spacing_mm, spacing_mm),
        r_times_ms=r_found,
        r_source=r_source,
        sector=convert.sector,
        flags=flags,
    )


def _own_times(
    name: str, n_frames: int, times: NDArray[np.float64] | None, rate: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], TimeSource] | None:
    if times is not None:
        return checked_times(name, n_frames, times.tolist()), "file"
    if rate is not None and rate.size == 1:
        return times_of_rate(name, n_frames, float(rate.ravel()[0])), "file"
    return None


def _r_peaks(
    name: str, own: NDArray[np.float64] | None, stated: Stated
) -> tuple[NDArray[np.float64] | None, RSource | None]:
    found, source = stated.r_peaks(name)
    if found is None and own is not None and own.size:
        return checked_r_times(name, own.tolist()), "file"
    return found, source


def _is_npz(path: Path) -> bool:
    return path.suffix.lower() == ".npz"


def _opener(path: Path) -> Callable[[Path], AbstractContextManager[Beams]]:
    return _open_npz if _is_npz(path) else _open_hdf5


@contextmanager
def _open_npz(path: Path) -> Iterator[Beams]:
    """Open an NPZ so that its beams are read frame by frame."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise unusable(
            path.name, "an NPZ file", "a damaged one", "save it again", code="damaged"
        ) from None
    with archive:
        if "beams.npy" not in archive.namelist():
            raise unusable(path.name, "an array named beams", "none", _ASK)
        with archive.open("beams.npy") as file:
            try:
                yield _NpzBeams(path.name, archive, file)
            except _DAMAGE:
                raise unusable(
                    path.name, "an NPZ file", "a damaged one", "save it again", code="damaged"
                ) from None


class _NpzBeams:
    def __init__(self, name: str, archive: zipfile.ZipFile, file: Any) -> None:
        self._name, self._archive, self._file = name, archive, file
        self._place = array_place(file, name)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._place.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._place.dtype

    def small(self, key: str) -> NDArray[np.float64] | None:
        member = f"{key}.npy"
        if member not in self._archive.namelist():
            return None
        if self._archive.getinfo(member).file_size > _MAX_SMALL_BYTES:
            raise unusable(self._name, f"a short array {key}", "a large one", _ASK)
        try:
            with self._archive.open(member) as file:
                values = np.lib.format.read_array(file, allow_pickle=False)
            return np.atleast_1d(values.astype(np.float64))
        except (ValueError, TypeError):
            raise unusable(self._name, f"numbers as {key}", "others", _ASK) from None

    def frame(self, index: int) -> NDArray[Any]:
        return self._place.read(self._file, index, self._name)


@contextmanager
def _open_hdf5(path: Path) -> Iterator[Beams]:
    """Open an HDF5 file; links that lead outside it are not followed."""
    try:
        import h5py
    except ImportError:
        raise not_installed("a loop in HDF5", "h5py", "hdf5") from None
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise unusable(
            path.name, "an HDF5 file", "a damaged one", "save it again", code="damaged"
        ) from None
    with file:
        try:
            yield _Hdf5Beams(path.name, file, h5py)
        except OSError:
            raise unusable(
                path.name, "an HDF5 file", "a damaged one", "save it again", code="damaged"
            ) from None


class _Hdf5Beams:
    def __init__(self, name: str, file: Any, h5py: Any) -> None:
        self._name, self._file, self._h5py = name, file, h5py
        beams = self._dataset("beams")
        if beams is None:
            raise unusable(name, "an array named beams", "none", _ASK)
        self._beams = beams

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._beams.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self._beams.dtype
        return dtype

    def small(self, key: str) -> NDArray[np.float64] | None:
        dataset = self._dataset(key)
        if dataset is None:
            return None
        if dataset.nbytes > _MAX_SMALL_BYTES or dataset.dtype.kind not in "iuf":
            raise unusable(self._name, f"a short array of numbers as {key}", "others", _ASK)
        return np.atleast_1d(np.asarray(dataset[()], dtype=np.float64))

    def frame(self, index: int) -> NDArray[Any]:
        return np.asarray(self._beams[index])

    def _dataset(self, key: str) -> Any:
        link = self._file.get(key, getlink=True)
        if link is None:
            return None
        inside = isinstance(link, self._h5py.HardLink)
        dataset = self._file[key] if inside else None
        if not isinstance(dataset, self._h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise unusable(self._name, f"an array {key} inside the file", "another kind", _ASK)
        require_chunks(self._name, key, dataset)
        return dataset
