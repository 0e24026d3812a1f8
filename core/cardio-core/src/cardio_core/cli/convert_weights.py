"""`cardio data convert-weights`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardio_core.cli import options
from cardio_stats.errors import ConfigError, DataError

if TYPE_CHECKING:
    from cardio_core.training.pretrained import Converted, Layout

_STATED = "not stated"


@click.command("convert-weights")
@click.argument("file", type=options.PATH)
@options.allowing(pickle="reading FILE, whose origin you know; without this nothing is read")
@click.option(
    "--licence", default=_STATED, show_default=True, metavar="TEXT",
    help="Under which you may use the weights; it stands in the new file.",
)  # fmt: skip
@click.option(
    "--layout", metavar="NAME",
    help="How FILE names its tensors; without this, the names decide. See docs/weights.md.",
)  # fmt: skip
@options.path("--out", "Safetensors file to write.  [default: next to FILE]")
@options.JSON
def convert_weights(
    file: Path,
    allowed: tuple[str, ...],
    licence: str,
    layout: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make a safetensors file of the .pt, .pth or Keras .h5 weights in FILE.

    Tensors get torchvision's names, which the networks of this project have; the new file says
    which layout was found, the licence that you state, and the digest of FILE. A .pt file is a
    pickle, which could run code: only tensors are taken out of it, and FILE stays as it is.
    Networks of this project read the new file only.
    """
    if not allowed:
        raise ConfigError(
            f"{file.name}: such a file could run code when it is read; say --allow pickle if you "
            "know where it comes from"
        )
    target = file.with_suffix(".safetensors") if out is None else out
    if target.exists():
        raise DataError(f"{target}: is there already; remove it or name another with --out")
    from cardio_core.training.pretrained import convert_weights as convert

    done = convert(file, target, licence=licence, layout=layout, further=_lent())
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({"file": file.name, "out": str(target)} | asdict(done)))
        return
    for line in _report_lines(done, target):
        click.echo(line)


def _lent() -> dict[str, Layout]:
    """Return the layouts of all plugins that can be opened."""
    from cardio_core.registry import lent
    from cardio_core.training.pretrained import TOOL, layout_of

    layouts = [layout_of(fields, plugin) for plugin, fields in lent(TOOL)]
    return {layout.name: layout for layout in layouts}


def _report_lines(done: Converted, target: Path) -> list[str]:
    renamed = "names unchanged"
    if done.renamed:
        old, new = next(iter(done.renamed.items()))
        renamed = f"{len(done.renamed)} renamed ({old} is now {new})"
    reasons = dict.fromkeys(done.dropped.values())
    dropped = [
        f"Dropped: {', '.join(name for name, why in done.dropped.items() if why == reason)}, "
        f"because {reason}."
        for reason in reasons
    ]
    missing = "none" if done.layout != "as is" else "not known, as the network is not"
    unstated = " Say it with --licence; docs/weights.md says what to look for."
    return [
        f"{target}: {done.n_tensors} tensors of {done.original}.",
        f"Layout {done.layout}: {done.title}.",
        f"Tensors: {renamed}. Missing: {missing}.",
        *dropped,
        f"Licence: {done.licence}.{unstated if done.licence == _STATED else ''}",
        f"SHA-256 of {done.original}: {done.original_sha256}.",
    ]
