"""Folders of clips: a cohort's, and one in EchoNet's layout."""

from __future__ import annotations

from .echo_cohorts import write_avi

ENVELOPE = "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"


def echonet_folder(folder, names=("0X1A", "0X1B", "0X1C"), **without):
    """Write a folder in EchoNet's layout with one video a name."""
    lines = [ENVELOPE]
    for n, name in enumerate(names):
        write_avi(folder / "Videos" / f"{name}.avi", 40 + n)
        lines.append(f"{name},{50 + n}.5,40,90,112,112,{50 + n},{40 + n},TRAIN")
    (folder / "FileList.csv").write_text("\n".join(lines) + "\n")
    return folder


def opened(cohort) -> tuple[dict, dict[str, str]]:
    """Open every loop as `preprocess` does; return the loops, and why others cannot be used."""
    reasons: dict[str, str] = {}
    loops = dict(cohort.samples.opened(lambda name, why: reasons.setdefault(name, str(why))))
    return loops, reasons
