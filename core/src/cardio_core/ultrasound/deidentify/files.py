"""A folder of loops, de-identified into a new one under neutral names.

Nothing of a source's name or header is printed or written: loops are spoken of by their place in
the order of paths, results by running numbers. Only a mapping file, where one is asked for, ties
the two together.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from cardio_core.errors import CardioError, ConfigError, DataError
from cardio_core.io.atomic import whole_directory
from cardio_core.ultrasound.deidentify.header import Source, make_header, read_source
from cardio_core.ultrasound.deidentify.mapping import Job, write_mapping
from cardio_core.ultrasound.deidentify.passed_over import counted, passed_over
from cardio_core.ultrasound.deidentify.pixels import kept_frames, look_inside
from cardio_core.ultrasound.deidentify.printed.r_peaks import with_drawn_r_peaks
from cardio_core.ultrasound.deidentify.sector_mask import clear_sector
from cardio_core.ultrasound.deidentify.sheet import Sheet, require_png
from cardio_core.ultrasound.deidentify.write import write_dicom
from cardio_core.ultrasound.loops.loop import Loop
from cardio_core.ultrasound.loops.nameless import nameless
from cardio_core.ultrasound.readers.find import find_loops
from cardio_core.ultrasound.readers.read import is_dicom, read_loop

_ANY_RATE_HZ = 30.0


def deidentify_folder(
    source: Path,
    out: Path,
    *,
    mapping: Path | None = None,
    sheet: Path | None = None,
    key: bytes | None = None,
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
        compressed without loss.
    mapping : Path, optional
        A CSV to write, outside of `out`: which file became which, the patients' own ids, and why
        files were set aside. It identifies patients.
    sheet : Path, optional
        A PNG to write, outside of `out`: the first loops before and after. It identifies patients.
    key : bytes, optional
        From which new identifiers are derived; by default drawn and thrown away, so that nobody can
        derive them again. Two folders with the same key keep a study's new identifiers.
    on_start, on_file : callable
        Told how many files there are, and that one is done.

    Returns
    -------
    dict
        n_files, n_loops, n_patients, n_set_aside, `loops` (file, patient, n_frames, rows, columns,
        colour, sector, filled_px, flags), `set_aside` (place in the order of paths, reason),
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
                done.append(_deidentify(job, folder, secret, shown))
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
        raise ConfigError("OUT: lies in IN, or IN in it; choose a folder beside it")
    for option, file in (("--mapping", mapping), ("--sheet", sheet)):
        if file is None:
            continue
        if target in file.resolve().parents:
            raise ConfigError(f"{option}: identifies patients and must not lie in OUT")
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
            "IN: expected files that can be opened, found one that cannot; check who may read them"
        ) from None
    if not paths:
        raise DataError("IN: expected ultrasound loops, found none; check the folder")
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


def _deidentify(job: Job, folder: Path, key: bytes, sheet: Sheet | None) -> dict[str, Any]:
    """Write one loop; return what is said about it."""
    loop, timed = _opened(job.path)
    fitted = clear_sector(loop)
    if timed:  # what the trace says of the heart goes on, where the trace itself must go
        loop = with_drawn_r_peaks(loop, fitted)
    kept = look_inside(loop, fitted.mask())
    filled: list[int] = []
    header = make_header(
        loop,
        job.source,
        key,
        patient=job.patient,
        number=job.number,
        colour=kept.colour,
        timed=timed,
        clean=not loop.colour_doppler and not kept.flags,
    )
    target = folder / f"{job.name}.dcm"
    write_dicom(target, header, kept_frames(loop, kept, filled.append))
    if sheet is not None:
        after = next(iter(kept_frames(loop, kept)))
        sheet.add(job.name, loop.frame(0, colour=True), after, kept.sector)
    untimed = () if timed else ("no frame time: none is stated",)
    own = loop.flags if timed else ()
    return {
        "file": target.name,
        "patient": job.patient,
        "n_frames": loop.n_frames,
        "rows": loop.size[0],
        "columns": loop.size[1],
        "colour": kept.colour,
        "sector": {
            "apex_row": round(fitted.apex_row, 2),
            "apex_column": round(fitted.apex_column, 2),
            "left_deg": round(fitted.left_deg, 2),
            "right_deg": round(fitted.right_deg, 2),
            "outer_px": round(fitted.outer_px, 2),
            "confidence": fitted.confidence,
        },
        "filled_px": {"still": kept.n_still_px, "median": int(median(filled)), "most": max(filled)},
        "flags": [*own, *untimed, *kept.flags, *_replaced(filled, int(kept.sector.sum()))],
    }


def _replaced(filled: list[int], n_sector: int) -> list[str]:
    """Say how much of the sector is no tissue any more."""
    if not any(filled):
        return []
    said = (
        f"print inside the sector gave way to what lies around it: {int(median(filled))} pixels "
        f"of a frame (median), {max(filled)} at most ({max(filled) / n_sector:.1%} of the sector)"
    )
    return [said]


def _opened(path: Path) -> tuple[Loop, bool]:
    """Open a loop, and say whether its times are known; pixels need none."""
    try:
        return read_loop(path), True
    except DataError as error:
        try:
            return read_loop(path, frame_rate_hz=_ANY_RATE_HZ), False
        except DataError:
            raise error from None


def _unforeseen(error: Exception) -> str:
    return (
        "expected a loop that can be read and written again, found one at which the program "
        f"failed ({type(error).__name__}); look at it"
    )


_NOBODY = Source("", "", {}, {}, False)
