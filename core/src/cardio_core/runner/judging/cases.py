"""Writing explained cases: a picture, maps, a video, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.io.atomic import file_in, replacing, write_json
from cardio_core.types.file_names import SafeName
from cardio_core.types.report import Case

FOLDER = "explanations"


def write_case(out: Path, stem: str, case: Case, protocol: str) -> dict[str, Any]:
    """Write one case into ``out/explanations`` and return what its JSON says.

    Files are called `stem` as far as it is safe: see `SafeName`.
    """
    about: dict[str, Any] = {
        "sample_id": case.sample_id,
        "title": case.title,
        "caption": case.caption,
        "model": case.model,
        "fold": case.fold,
        "protocol": protocol,
        "scores": dict(case.scores),
    }
    if case.draw is not None:
        from cardio_core.report.figures import save_svg

        picture = file_in(out, FOLDER, SafeName(stem, ".svg"))
        save_svg(case.draw, picture, title=case.title, description=case.caption)
        about["figure"] = f"{FOLDER}/{picture.name}"
    if case.video is not None:
        video = file_in(out, FOLDER, SafeName(stem, ".webm"))
        with replacing(video) as temporary:
            temporary.write_bytes(case.video())
        about["video"] = f"{FOLDER}/{video.name}"
    if case.arrays:
        arrays = file_in(out, FOLDER, SafeName(stem, ".npz"))
        with replacing(arrays) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **dict(case.arrays))  # type: ignore[arg-type]
    write_json(file_in(out, FOLDER, SafeName(stem, ".json")), about)
    return about
