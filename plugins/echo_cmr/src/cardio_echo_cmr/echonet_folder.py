"""A folder in EchoNet's layout: FileList.csv and Videos/, apical four-chamber loops with LVEF."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardio_core.api import DataError, Quarantined
from cardio_echo_cmr.study import Clip, EchoStudy

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

FILE_LIST, VIDEOS = "FileList.csv", "Videos"
VIEW = "a4c"
_NEEDED = ("FileName", "FPS")
_SUFFIXES = (".avi", ".mp4")
_STAGE = "load"

NOTE = (
    "FileList.csv names a video's frame rate, LVEF and view (A4C) only; its column Split is not "
    "used, patients are split here."
)


@dataclass(frozen=True)
class EchoNetVideo:
    """One usable video of the folder.

    Attributes
    ----------
    name : str
        FileName without its suffix.
    clip : Clip
        Its file and frame rate.
    lvef_pct : float
        NaN where the list does not say.
    """

    name: str
    clip: Clip
    lvef_pct: float


@dataclass(frozen=True)
class EchoNetFolder:
    """What such a folder holds: videos, and what cannot be used of it.

    `unusable` are reasons, in the order of the list, then of the videos that it does not name.
    """

    videos: tuple[EchoNetVideo, ...]
    unusable: tuple[str, ...]


def is_echonet_folder(path: Path) -> bool:
    """Tell such a folder by its list and its folder of videos."""
    return (path / FILE_LIST).is_file() and (path / VIDEOS).is_dir()


def read_echonet_folder(folder: Path) -> EchoNetFolder:
    """Read FileList.csv and match it with the videos.

    Parameters
    ----------
    folder : Path
        With ``FileList.csv`` (columns FileName, FPS and, where known, EF) and ``Videos/``.

    Returns
    -------
    EchoNetFolder
        A row without a video, a video without a row and a row without a frame rate are not usable;
        what a video itself is like shows when it is opened.

    Raises
    ------
    DataError
        The list cannot be read or lacks a column.

    Notes
    -----
    The layout is that of EchoNet-Dynamic: Ouyang et al. 2020, Nature 580:252-256.
    """
    rows = _rows(folder / FILE_LIST)
    files = {
        path.stem: path
        for path in sorted((folder / VIDEOS).iterdir())
        if path.suffix.lower() in _SUFFIXES
    }
    videos, unusable = [], []
    for number, row in enumerate(rows, start=2):
        name = _stem(row["FileName"])
        rate = _positive(row["FPS"])
        where = f"{FILE_LIST}, row {number}"
        if name not in files:
            unusable.append(f"{where}: expected its video in {VIDEOS}, found none; copy it there")
        elif rate is None:
            unusable.append(f"{where}: expected frames a second as FPS, found none; fill it in")
        else:
            clip = Clip(files[name], VIEW, rate)
            videos.append(EchoNetVideo(name, clip, _percent(row.get("EF"))))
    listed = {_stem(row["FileName"]) for row in rows}
    unusable += [
        f"video {number} of {len(files)} in {VIDEOS}, by name: expected a row in {FILE_LIST}, "
        "which says its frame rate, found none; add it"
        for number, name in enumerate(files, start=1)
        if name not in listed
    ]
    return EchoNetFolder(tuple(videos), tuple(unusable))


def echonet_studies(found: EchoNetFolder) -> list[EchoStudy]:
    """Return a study for each video, without ids: nothing tells whose it is."""
    return [
        EchoStudy("", "", (video.clip,), measures={"lvef_pct": video.lvef_pct})
        for video in found.videos
    ]


def with_cohort_table(
    found: EchoNetFolder, table: pd.DataFrame, studies: list[EchoStudy], where: str
) -> list[EchoStudy]:
    """Give the rows of a cohort table their videos: `study_id` is the FileName.

    Parameters
    ----------
    found : EchoNetFolder
    table : DataFrame
        As of `read_cohort_table`.
    studies : list of EchoStudy
        Of its rows, without clips.
    where : str
        The table's name, for messages.

    Returns
    -------
    list of EchoStudy
        Of the rows that have a video. LVEF is the table's, or else FileList.csv's.

    Raises
    ------
    DataError
        No row has a video.
    """
    videos = {video.name: video for video in found.videos}
    joined = []
    for study in studies:
        video = videos.get(_stem(study.study_id))
        if video is None:
            continue
        own = study.measures["lvef_pct"]
        lvef = video.lvef_pct if own != own else own
        joined.append(
            replace(study, clips=(video.clip,), measures=study.measures | {"lvef_pct": lvef})
        )
    if not joined:
        raise DataError(
            f"{where}: expected study_id to be a FileName of {FILE_LIST}, found none among "
            f"{len(table)} rows; name them so, or give the table path_echo_a4c"
        )
    return joined


def quarantined(found: EchoNetFolder) -> tuple[Quarantined, ...]:
    """Return what cannot be used, numbered: names of files can hold the names of people."""
    return tuple(
        Quarantined(f"unusable-{number}", _STAGE, reason)
        for number, reason in enumerate(found.unusable, start=1)
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [dict(row) for row in csv.DictReader(stream)]
    except (UnicodeDecodeError, csv.Error):
        raise DataError(
            f"{path.name}: expected comma-separated text, found something else; export it again"
        ) from None
    for column in _NEEDED:
        if not rows or column not in rows[0]:
            found = "no row" if not rows else "none"
            raise DataError(f"{path.name}: expected a column {column} and rows, found {found}")
    return [row for row in rows if (row["FileName"] or "").strip()]


def _stem(name: str) -> str:
    name = name.strip()
    return name[:-4] if name.lower().endswith(_SUFFIXES) else name


def _positive(text: str | None) -> float | None:
    number = _number(text)
    return number if 0 < number < float("inf") else None


def _percent(text: str | None) -> float:
    number = _number(text)
    return number if 0 <= number <= 100 else float("nan")


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
