"""`cardio data deidentify`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from cardio_stats.cli.options import JSON

_SHOWN = 60


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--sheet",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a PNG of the loops before and after; it identifies patients.",
)
@click.option(
    "--mapping",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a CSV of old and new names; it identifies patients.",
)
@click.option(
    "--as",
    "written_as",
    type=click.Choice(["dicom", "video"]),
    default="dicom",
    show_default=True,
    help="DICOM, or FFV1 video: both lossless.",
)
@JSON
def deidentify(
    source: Path,
    out: Path,
    sheet: Path | None,
    mapping: Path | None,
    written_as: str,
    as_json: bool,
) -> None:
    """De-identify the ultrasound loops under IN into the new folder OUT.

    Keeps the fitted sector of every frame and sets all else to 0; makes every header anew from a
    list of what is allowed; drops what the container of a video says of it; replaces patients' ids
    and file names by running numbers. A loop without a clear sector is set aside. Exits with 3 if
    none can be used.

    Look at the sheet: what is printed inside the sector in white is found only where it never
    changes.
    """
    from cardio_core.runner.progress import Progress
    from cardio_ultrasound.deidentify.files import deidentify_folder

    bar: list[Progress] = []
    with ExitStack() as shown:

        def start(n_files: int) -> None:
            echo = None if as_json else click.echo
            bar.append(shown.enter_context(Progress("de-identifying", n_files, echo, "files")))

        answer = deidentify_folder(
            source,
            out,
            mapping=mapping,
            sheet=sheet,
            as_video=written_as == "video",
            on_start=start,
            on_file=lambda: bar[0].advance(),
        )
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    for line in summary(answer):
        click.echo(line)


def summary(answer: dict[str, Any]) -> list[str]:
    r"""Return the text output; it names new files and places, never a source.

    Examples
    --------
    >>> row = {"file": "p0001_01.dcm", "n_frames": 30, "sector": {"confidence": 0.9}, "flags": [],
    ...        "n_metadata": 0}
    >>> found = {"n_loops": 1, "n_files": 2, "n_patients": 1, "loops": [row],
    ...          "set_aside": [{"place": 2, "reason": "expected a loop, found a still image"}],
    ...          "passed_over": [{"kind": "PDF", "n": 3}]}
    >>> print("\n".join(summary(found)))
    1 of 2 files de-identified: 1 patients.
      p0001_01.dcm  30 frames, sector 0.90
      set aside  file 2 in the order of paths: expected a loop, found a still image
      not copied, no loops: PDF 3
    """
    lines = [
        f"{answer['n_loops']} of {answer['n_files']} files de-identified: "
        f"{answer['n_patients']} patients."
    ]
    for row in answer["loops"][:_SHOWN]:
        facts = [f"{row['n_frames']} frames", f"sector {row['sector']['confidence']:.2f}"]
        if row["n_metadata"]:
            facts.append(f"container's entries dropped: {row['n_metadata']}")
        lines.append(f"  {row['file']}  {', '.join([*facts, *row['flags']])}")
    if len(answer["loops"]) > _SHOWN:
        lines.append(f"  and {len(answer['loops']) - _SHOWN} more (--json lists all)")
    for row in answer["set_aside"]:
        lines.append(f"  set aside  file {row['place']} in the order of paths: {row['reason']}")
    if answer["passed_over"]:
        kinds = ", ".join(f"{row['kind']} {row['n']}" for row in answer["passed_over"])
        lines.append(f"  not copied, no loops: {kinds}")
    return lines
