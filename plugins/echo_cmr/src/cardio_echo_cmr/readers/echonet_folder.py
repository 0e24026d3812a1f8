"""A folder in EchoNet's layout: FileList.csv and Videos/, apical four-chamber loops with LVEF."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cardio_core.api import DataError
from cardio_echo_cmr.studies import Clip, EchoStudy
from cardio_ultrasound import LoopFacts

FILE_LIST, VIDEOS = "FileList.csv", "Videos"
VIEW = "a4c"
_NEEDED = ("FileName", "FPS")
_SUFFIXES = (".avi", ".mp4")

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
class Unusable:
    """A row or a video, by its FileName without suffix, that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class EchoNetFolder:
    """What such a folder holds: videos, and what cannot be used of it.

    `unusable` is in the order of the list, then of the videos that it does not name.
    """

    videos: tuple[EchoNetVideo, ...]
    unusable: tuple[Unusable, ...]

    def __len__(self) -> int:
        """Return of how many videos the list or the folder tells."""
        usable, others = (v.name for v in self.videos), (item.name for item in self.unusable)
        return len({*usable, *others})

    def others_note(self, whole: EchoNetFolder, where: str) -> str:
        """Say how many videos of the whole folder a table does not name; empty if none."""
        others = len(whole) - len(self)
        if not others:
            return ""
        return (
            f"{others} of {len(whole)} videos of {FILE_LIST} and {VIDEOS} are not named by {where} "
            "and not used."
        )


def echonet_folder_of(path: Path) -> Path | None:
    """Return the folder, by its list and its folder of videos; the list itself stands for it."""
    folder = path.parent if path.name == FILE_LIST else path
    return folder if (folder / FILE_LIST).is_file() and (folder / VIDEOS).is_dir() else None


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
    videos: list[EchoNetVideo] = []
    unusable: list[Unusable] = []
    for number, row in enumerate(rows, start=2):
        name = stem_of(row["FileName"])
        rate, ef = _number(row["FPS"]), _number(row.get("EF"))
        where = f"{FILE_LIST}, row {number}"
        if name not in files:
            reason = f"{where}: expected its video in {VIDEOS}, found none; copy it there"
            unusable.append(Unusable(name, reason))
        elif not 0 < rate < float("inf"):
            reason = f"{where}: expected frames a second as FPS, found none; fill it in"
            unusable.append(Unusable(name, reason))
        else:
            clip = Clip(files[name], VIEW, LoopFacts(rate))
            videos.append(EchoNetVideo(name, clip, ef if 0 <= ef <= 100 else float("nan")))
    listed = {stem_of(row["FileName"]) for row in rows}
    unusable += [
        Unusable(
            name,
            f"video {number} of {len(files)} in {VIDEOS}, by name: expected a row in {FILE_LIST}, "
            "which says its frame rate, found none; add it",
        )
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
    found: EchoNetFolder, studies: list[EchoStudy], where: str
) -> list[EchoStudy]:
    """Give the rows of a cohort table their videos: `study_id` is the FileName.

    Parameters
    ----------
    found : EchoNetFolder
        What the table names of a folder.
    studies : list of EchoStudy
        Of the table's rows, without clips.
    where : str
        The table's name, for messages.

    Returns
    -------
    list of EchoStudy
        Of the rows that have a video. LVEF is the table's, or else FileList.csv's.

    Raises
    ------
    DataError
        No row has a usable video.
    """
    videos = {video.name: video for video in found.videos}
    joined = []
    for study in studies:
        video = videos.get(stem_of(study.study_id))
        if video is None:
            continue
        lvef = study.measures["lvef_pct"]
        if math.isnan(lvef):
            lvef = video.lvef_pct
        joined.append(
            replace(study, clips=(video.clip,), measures=study.measures | {"lvef_pct": lvef})
        )
    if joined:
        return joined
    if found.unusable:
        raise DataError(
            f"{where}: expected usable videos of its {len(studies)} rows, found none; the first: "
            f"{found.unusable[0].reason}"
        )
    raise DataError(
        f"{where}: expected study_id to be a FileName of {FILE_LIST}, found none among "
        f"{len(studies)} rows; name them so, or pass {where} itself as --data, with its clips in "
        f"path_echo_{VIEW}"
    )


def of_table(found: EchoNetFolder, table: pd.DataFrame) -> EchoNetFolder:
    """Return of a folder what a cohort table names: nobody misses the rest of a public data set.

    Parameters
    ----------
    found : EchoNetFolder
    table : DataFrame
        Of a `CohortTable`; `study_id` is the FileName.
    """
    named = {stem_of(str(name)) for name in table.index}
    return EchoNetFolder(
        tuple(video for video in found.videos if video.name in named),
        tuple(item for item in found.unusable if item.name in named),
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


def stem_of(name: str) -> str:
    """Return a FileName without the suffix that it may have."""
    name = name.strip()
    return name[:-4] if name.lower().endswith(_SUFFIXES) else name


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
