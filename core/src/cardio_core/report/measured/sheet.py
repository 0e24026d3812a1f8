"""One recording's sheet: drawn by the plugin, or by the core, and written with its thumbnail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cardio_core.io.atomic import replacing
from cardio_core.report.figures import canvas
from cardio_core.report.measured.default_sheet import draw_default
from cardio_core.report.measured.values import Measured

SIZE_IN = (11.0, 7.6)
DPI = 110
THUMBNAILS = ".thumbnails"
_THUMBNAIL_PX = (330, 230)


@dataclass(frozen=True)
class Sheet:
    """What stands on every sheet, whoever draws it; `by` is the plugin with its version."""

    by: str
    recording_id: str
    measured: tuple[Measured, ...]
    flags: Sequence[str]


def write_sheet(
    file: Path,
    sheet: Sheet,
    own: Callable[..., Any] | None,
    given: Mapping[str, Any],
) -> str:
    """Draw a sheet and write it as PNG, with a thumbnail beside it for the overview page.

    Parameters
    ----------
    file : Path
        The PNG; its folder is made.
    sheet : Sheet
        What the core writes on it.
    own : callable or None
        The plugin's ``sheet``; None, or one that raises, leaves the drawing to the core.
    given : mapping
        recording, samples and features for it.

    Returns
    -------
    str
        What went wrong with the plugin's own; empty where nothing did.
    """
    problem = ""
    made: bytes | None = None
    if own is not None:
        try:
            made = _png(lambda figure: own(figure=figure, **given), sheet)
        except Exception as error:
            said = " ".join(str(error).split())
            problem = f"drawn by the core: sheet.py failed ({type(error).__name__}: {said})"
    if made is None:
        made = _png(lambda figure: draw_default(figure, measured=sheet.measured, **given), sheet)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        temporary.write_bytes(made)
    _thumbnail(file)
    return problem


def _png(draw: canvas.Draw, sheet: Sheet) -> bytes:
    def whole(figure: Figure) -> None:
        draw(figure)
        figure.suptitle(
            f"Recording {sheet.recording_id}    measured by {sheet.by}",
            x=0.01, ha="left", fontsize=canvas.TEXT_PT + 2, fontweight="bold", color=canvas.INK,
        )  # fmt: skip
        if sheet.flags:
            figure.supxlabel(
                "\n".join(_wrapped(f"Flag: {flag}") for flag in sheet.flags),
                x=0.01, ha="left", fontsize=canvas.SMALL_PT, color=canvas.VERMILION,
            )  # fmt: skip

    return canvas.png_bytes(whole, SIZE_IN, DPI)


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 170)


def _thumbnail(file: Path) -> None:
    from PIL import Image

    folder = file.parent / THUMBNAILS
    folder.mkdir(exist_ok=True)
    with Image.open(file) as picture:
        small = picture.convert("RGB")
        small.thumbnail(_THUMBNAIL_PX, Image.Resampling.LANCZOS)
        with replacing(folder / f"{file.stem}.jpg") as temporary:
            small.save(temporary, "JPEG", quality=72)
