"""A folder of loops, de-identified into a new one under neutral names.

Nothing of a source's name or header is printed or written: loops are spoken of by their place in
the order of paths, results by running numbers. Only a mapping file, where one is asked for, ties
the two together.
"""

from __future__ import annotations

import csv
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_stats.cells import texts
from cardio_stats.errors import CardioError, ConfigError, DataError
from cardio_stats.files import replacing, whole_directory
from cardio_ultrasound.deidentify.header import Source, make_header, read_source, write_dicom
from cardio_ultrasound.deidentify.pixels import cleaned_frames, look_inside
from cardio_ultrasound.deidentify.sector import clear_sector
from cardio_ultrasound.ecg_trace import with_drawn_r_peaks
from cardio_ultrasound.loop import Loop, Rate, nameless
from cardio_ultrasound.readers.containers import look_at_container
from cardio_ultrasound.readers.read import VIDEO_SUFFIXES, find_loops, is_dicom, read_loop

# Which file became which: the one file that ties new names to old ones.

_COLUMNS = ("source", "patient_id", "name", "patient", "reason")


@dataclass(frozen=True, repr=False)
class Job:
    """One file: its place in the order of paths, who it is about, and what it will be called."""

    place: int
    path: Path
    source: Source
    patient: str
    number: int

    @property
    def name(self) -> str:
        """The new name, without suffix."""
        return f"{self.patient}_{self.number:02d}"


def write_mapping(
    path: Path,
    root: Path,
    jobs: Sequence[tuple[Job, str | None]],
    others: Sequence[tuple[Path, str]] = (),
) -> None:
    """Write a CSV with a row for every file; only its owner may read it.

    Columns are source (from `root`, the folder or file that was searched), patient_id (the header's
    own), name (empty where the file was set aside), patient, and reason: why a job was set aside.
    `others` are files that are no loops, with what they are.
    """
    folder = root if root.is_dir() else root.parent
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for job, reason in jobs:
                new = "" if reason else job.name
                row = (job.path.relative_to(folder), job.source.patient_id, new, job.patient)
                writer.writerow(texts(map(str, (*row, reason or ""))))
            for other, kind in others:
                place = str(other.relative_to(folder))
                writer.writerow(texts([place, "", "", "", f"no loop: {kind}"]))


# The files of a folder that are no loops: none is copied, and each is accounted for.

_KINDS = {
    "PDF": (".pdf",),
    "picture": (".png", ".gif", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"),
    "text": (".txt", ".log", ".md", ".rtf", ".doc", ".docx", ".html", ".htm", ".xml"),
    "table": (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".parquet"),
    "archive": (".zip", ".tar", ".gz", ".7z", ".rar", ".iso"),
    "facts beside a loop": (".json",),
}
"""A suffix of another kind may be a part of a name, and is not repeated."""


def passed_over(source: Path, loops: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return every file of a folder that is no loop, in the order of paths, and what it is.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("letter.pdf", "DICOMDIR", ".thumbs", "of.Doe", "a.npy"):
    ...     _ = (root / name).write_bytes(b"")
    >>> for path, kind in passed_over(root, [root / "a.npy"]):
    ...     print(path.name, "is", kind)
    .thumbs is hidden file
    DICOMDIR is DICOMDIR
    letter.pdf is PDF
    of.Doe is other
    """
    if not source.is_dir():
        return []
    known = set(loops)
    others = (path for path in sorted(source.rglob("*")) if path.is_file() and path not in known)
    return [(path, _kind(path, source)) for path in others]


def counted(others: Sequence[tuple[Path, str]]) -> list[dict[str, Any]]:
    """Count files by what they are; no name is told."""
    found = Counter(kind for _, kind in others)
    return [{"kind": kind, "n": n} for kind, n in sorted(found.items())]


def _kind(path: Path, root: Path) -> str:
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return "hidden file"
    if path.name == "DICOMDIR":
        return "DICOMDIR"
    return kind_by_suffix(path)


def kind_by_suffix(path: Path) -> str:
    """Return what a file that is no loop is called, by the end of its name; else ``other``."""
    suffix = path.suffix.lower()
    return next((kind for kind, suffixes in _KINDS.items() if suffix in suffixes), "other")


# A picture of loops before and after, for the eye of the one who de-identifies them.
#
# The left half shows what was burned in: the sheet identifies patients and belongs beside the
# originals.

MAX_ROWS = 40
"""Loops on a sheet; the first ones are shown."""

_WIDTH_PX = 360
_GAP_PX, _TITLE_PX = 6, 16
_OUTLINE = (255, 200, 0)

Picture = NDArray[np.uint8]


class Sheet:
    """Rows of two pictures: a loop's first frame with the sector's outline, and what is left of it.

    Examples
    --------
    >>> sheet = Sheet()
    >>> frame, mask = np.full((40, 60), 90, np.uint8), np.ones((40, 60), np.bool_)
    >>> sheet.add("p0001_01", frame, frame, mask)
    >>> sheet.picture().shape
    (262, 732, 3)
    """

    def __init__(self) -> None:
        self._rows: list[Picture] = []

    def add(self, title: str, before: Picture, after: Picture, mask: NDArray[np.bool_]) -> None:
        """Add one loop; frames are grey (n_rows, n_columns) or RGB (n_rows, n_columns, 3)."""
        if len(self._rows) >= MAX_ROWS:
            return
        left = _rgb(before)
        left[mask & ~ndimage.binary_erosion(mask)] = _OUTLINE
        pictures = [_sized(left), _sized(_rgb(after))]
        gap = np.zeros((pictures[0].shape[0], 2 * _GAP_PX, 3), np.uint8)
        row = np.concatenate([pictures[0], gap, pictures[1]], axis=1)
        self._rows.append(np.concatenate([_title(title, row.shape[1]), row]))

    def picture(self) -> Picture:
        """Return the sheet, RGB, shape (n_rows, n_columns, 3)."""
        space = np.zeros((_GAP_PX, 2 * (_WIDTH_PX + _GAP_PX), 3), np.uint8)
        return np.concatenate([part for row in self._rows for part in (row, space)])

    def save(self, path: Path) -> None:
        """Write the sheet as PNG; only its owner may read it."""
        from PIL import Image

        if not self._rows:
            return
        with replacing(path) as temporary:
            temporary.touch(mode=0o600)
            Image.fromarray(self.picture()).save(temporary, "PNG")


def require_png(path: Path) -> None:
    """Check before the work that a sheet can be written there.

    Raises
    ------
    ConfigError
        Another suffix.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--sheet: expected a .png file, found {path.suffix or 'no suffix'}")


def _rgb(frame: Picture) -> Picture:
    return np.repeat(frame[..., None], 3, axis=-1) if frame.ndim == 2 else frame.copy()


def _sized(picture: Picture) -> Picture:
    from PIL import Image

    height = max(round(picture.shape[0] * _WIDTH_PX / picture.shape[1]), 1)
    return np.asarray(Image.fromarray(picture).resize((_WIDTH_PX, height)))


def _title(text: str, width: int) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (width, _TITLE_PX))
    ImageDraw.Draw(page).text((2, 1), text, fill=(255, 255, 255), font=ImageFont.load_default(11))
    return np.array(page, dtype=np.uint8)


_ANY_RATE_HZ = 30.0


def deidentify_folder(
    source: Path,
    out: Path,
    *,
    mapping: Path | None = None,
    sheet: Path | None = None,
    key: bytes | None = None,
    as_video: bool = False,
    on_start: Callable[[int], object] = lambda n_files: None,
    on_file: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """De-identify every loop of a folder: pixels, header and name.

    Parameters
    ----------
    source : Path
        A folder, searched to its bottom, or one file. It is not changed.
    out : Path
        New or empty, neither in `source` nor around it. Every loop becomes DICOM, grey or RGB,
        compressed without loss, or a video (`as_video`).
    mapping : Path, optional
        A CSV to write, outside of `out`: which file became which, the patients' own ids, and why
        files were set aside. It identifies patients.
    sheet : Path, optional
        A PNG to write, outside of `out`: the first loops before and after. It identifies patients.
    key : bytes, optional
        From which new identifiers are derived; by default drawn and thrown away, so that nobody can
        derive them again. Two folders with the same key keep a study's new identifiers.
    as_video : bool
        Write FFV1 in Matroska, which is lossless, in place of DICOM; what is known of frame times,
        pixel size and R peaks lies in a JSON beside it.
    on_start, on_file : callable
        Told how many files there are, and that one is done.

    Returns
    -------
    dict
        n_files, n_loops, n_patients, n_set_aside, `loops` (file, patient, n_frames, rows, columns,
        colour, sector, filled_px, n_metadata, flags; n_metadata counts titles, comments, dates and
        the like of a video's container, none of which is kept), `set_aside` (place in the order of
        paths, reason),
        `passed_over` (files that are no loops: kind, n).

    Raises
    ------
    ConfigError
        `out` is not empty, or files would lie where they must not.
    DataError
        No loops, or none that can be used.
    """
    _check_places(source, out, mapping, sheet)
    secret = key or secrets.token_bytes(32)
    jobs = _numbered(source, secret)
    others = passed_over(source, (job.path for job in jobs))
    on_start(len(jobs))
    shown = Sheet() if sheet is not None else None
    done: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []

    def fill(folder: Path) -> None:
        for job in jobs:
            try:
                done.append(_deidentify(job, folder, secret, shown, as_video=as_video))
            except DataError as error:
                refused.append({"place": job.place, "reason": nameless(str(error), job.path)})
            except CardioError:
                raise
            except Exception as error:  # whatever a file provokes; its text may quote a name
                refused.append({"place": job.place, "reason": _unforeseen(error)})
            if refused and refused[-1]["place"] == job.place:
                for begun in folder.glob(f"{job.name}.*"):
                    begun.unlink()
            on_file()
        if not done:
            raise DataError(
                f"IN: expected loops that can be de-identified, found none among {len(jobs)} "
                f"files; the first: {refused[0]['reason']}"
            )

    out.parent.mkdir(parents=True, exist_ok=True)
    whole_directory(out, fill)
    if shown is not None and sheet is not None:
        shown.save(sheet)
    if mapping is not None:
        reasons = {row["place"]: row["reason"] for row in refused}
        write_mapping(mapping, source, [(job, reasons.get(job.place)) for job in jobs], others)
    return {
        "n_files": len(jobs),
        "n_loops": len(done),
        "n_patients": len({row["patient"] for row in done}),
        "n_set_aside": len(refused),
        "loops": done,
        "set_aside": refused,
        "passed_over": counted(others),
    }


def _check_places(source: Path, out: Path, mapping: Path | None, sheet: Path | None) -> None:
    """Refuse to write over anything, into the source, or what identifies into the result."""
    if not source.exists():
        raise ConfigError("IN: expected a folder or file, found none; check the path")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError("OUT: is there and not an empty folder; choose another")
    folder, target = source.resolve(), out.resolve()
    if target == folder or folder in target.parents or target in folder.parents:
        raise ConfigError("OUT: lies in IN, or IN in it; choose a folder outside it")
    for option, file in (("--mapping", mapping), ("--sheet", sheet)):
        if file is None:
            continue
        if target in file.resolve().parents:
            raise ConfigError(
                f"{option}: identifies patients and must not lie in OUT; name another place",
                code="contradiction",
            )
        if file.exists():
            raise ConfigError(f"{option}: the file is there already; choose another")
    if sheet is not None:
        require_png(sheet)


def _numbered(source: Path, key: bytes) -> list[Job]:
    """Give patients running numbers, in an order that says nothing about their names."""
    root = source if source.is_dir() else source.parent
    try:
        paths = find_loops(source)
        sources = [read_source(path) if is_dicom(path) else _NOBODY for path in paths]
    except OSError:  # its text names the file
        raise DataError(
            "IN: expected files that can be opened, found one that cannot; check who may read them",
            code="permission",
        ) from None
    if not paths:
        raise DataError(
            "IN: expected ultrasound loops, found none; check the folder", code="missing"
        )
    # A video or an array names nobody: each is a patient of its own.
    who = [
        about.patient or f"file\0{path.relative_to(root)}"
        for about, path in zip(sources, paths, strict=True)
    ]
    in_order = sorted(set(who), key=lambda name: hmac.new(key, name.encode(), sha256).digest())
    numbers = {name: number for number, name in enumerate(in_order, start=1)}
    counts: dict[str, int] = {}
    jobs = []
    for place, (path, about, name) in enumerate(zip(paths, sources, who, strict=True), start=1):
        counts[name] = counts.get(name, 0) + 1
        jobs.append(Job(place, path, about, f"p{numbers[name]:04d}", counts[name]))
    return jobs


def _deidentify(
    job: Job, folder: Path, key: bytes, sheet: Sheet | None, *, as_video: bool
) -> dict[str, Any]:
    """Write one loop; return what is said about it."""
    loop, timed = _opened(job.path)
    fitted = clear_sector(loop)
    if timed:  # what the trace says of the heart goes on, where the trace itself must go
        loop = with_drawn_r_peaks(loop, fitted)
    retained = look_inside(loop, fitted.mask())
    filled: list[int] = []
    frames = cleaned_frames(loop, retained, filled.append)
    uneven: tuple[str, ...] = ()
    if as_video:
        from cardio_ultrasound.deidentify.video import SUFFIX, write_video

        target = folder / f"{job.name}{SUFFIX}"
        uneven = write_video(target, loop, frames, colour=retained.colour, timed=timed)
    else:
        header = make_header(
            loop,
            job.source,
            key,
            patient=job.patient,
            number=job.number,
            colour=retained.colour,
            timed=timed,
            clean=not loop.colour_doppler and not retained.flags,
        )
        target = folder / f"{job.name}.dcm"
        write_dicom(target, header, frames)
    if sheet is not None:
        after = next(iter(cleaned_frames(loop, retained)))
        sheet.add(job.name, loop.frame(0, colour=True), after, retained.sector)
    untimed = () if timed else ("no frame time: none is stated",)
    own = loop.flags if timed else ()
    return {
        "file": target.name,
        "patient": job.patient,
        "n_frames": loop.n_frames,
        "rows": loop.size[0],
        "columns": loop.size[1],
        "colour": retained.colour,
        "sector": {
            "apex_row": round(fitted.apex_row, 2),
            "apex_column": round(fitted.apex_column, 2),
            "left_deg": round(fitted.left_deg, 2),
            "right_deg": round(fitted.right_deg, 2),
            "outer_px": round(fitted.outer_px, 2),
            "confidence": fitted.confidence,
        },
        "filled_px": {
            "still": retained.n_still_px,
            "median": int(median(filled)),
            "most": max(filled),
        },
        "n_metadata": _n_metadata(job.path),
        "flags": [
            *own,
            *untimed,
            *uneven,
            *retained.flags,
            *_replaced(filled, int(retained.sector.sum())),
        ],
    }


def _replaced(filled: list[int], n_sector: int) -> list[str]:
    """Say how much of the sector is no tissue any more."""
    if not any(filled):
        return []
    text = (
        f"print inside the sector gave way to what lies around it: {int(median(filled))} pixels "
        f"of a frame (median), {max(filled)} at most ({max(filled) / n_sector:.1%} of the sector)"
    )
    return [text]


def _n_metadata(path: Path) -> int:
    """Count what the container of a video says of it: none of that is kept."""
    is_video = path.suffix.lower() in VIDEO_SUFFIXES and not is_dicom(path)
    return look_at_container(path).n_metadata if is_video else 0


def _opened(path: Path) -> tuple[Loop, bool]:
    """Open a loop, and say whether its times are known; pixels need none."""
    try:
        return read_loop(path), True
    except DataError as error:
        any_rate: Rate = _ANY_RATE_HZ
        if path.suffix.lower() in VIDEO_SUFFIXES:
            any_rate = "unconfirmed"
        try:
            return read_loop(path, frame_rate_hz=any_rate), False
        except DataError:
            raise error from None


def _unforeseen(error: Exception) -> str:
    return (
        "expected a loop that can be read and written again, found one at which the program "
        f"failed ({type(error).__name__}); look at it"
    )


_NOBODY = Source("", "", {}, {}, False)
