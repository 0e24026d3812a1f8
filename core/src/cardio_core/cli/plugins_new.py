"""`cardio plugins new`: the template, under another name."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import yaml

from cardio_core.errors import ConfigError
from cardio_core.io.atomic import whole_directory

TEMPLATE = Path(__file__).parents[1] / "template"
NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
PLACEHOLDER = "my_modality"


@click.command()
@click.argument("name")
@click.option(
    "--unit",
    type=click.Choice(["patient", "study", "recording", "event"]),
    default="patient",
    show_default=True,
    help="What carries the target.",
)
@click.option(
    "--kind",
    type=click.Choice(["binary", "multiclass", "continuous"]),
    default="binary",
    show_default=True,
    help="What the target is.",
)
def new(name: str, unit: str, kind: str) -> None:
    """Make a plugin in the new folder NAME, which can be installed and runs as it is."""
    made = new_plugin(name, Path(), unit=unit, kind=kind)
    plugin = name.replace("-", "_")
    click.echo(f"{made}: {sum(path.is_file() for path in made.rglob('*'))} files. Next:")
    click.echo(f"  pip install -e ./{made}\n  cardio plugins check {plugin}")
    click.echo(f"  cardio run --plugin {plugin}")


def new_plugin(name: str, folder: Path, *, unit: str = "patient", kind: str = "binary") -> Path:
    """Write an installable plugin into a new folder.

    Parameters
    ----------
    name : str
        Small letters and digits, with single ``_`` or ``-`` between words. The distribution is
        ``cardio-NAME`` with hyphens, package and entry point have underscores.
    folder : Path
        Where the folder ``NAME`` is made.
    unit : {"patient", "study", "recording", "event"}
        What carries the target.
    kind : {"binary", "multiclass", "continuous"}
        Of the target.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    ConfigError
        If the name is none, is taken by an installed package, or the folder is there.

    Examples
    --------
    >>> new_plugin("PPG", Path())
    Traceback (most recent call last):
        ...
    cardio_core.errors.ConfigError: expected a name of small letters and digits with single _ or - \
between words, found 'PPG'; ppg_rhythm would do
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            "expected a name of small letters and digits with single _ or - between words, found "
            f"{name!r}; ppg_rhythm would do"
        )
    module = name.replace("-", "_")
    if find_spec(f"cardio_{module}") is not None:
        cure = f"pip uninstall cardio-{module.replace('_', '-')}"
        or_else = "" if module == "core" else f", or make room for a new one first: {cure}"
        raise ConfigError(
            f"a package cardio_{module} is installed already; choose another name{or_else}"
        )
    made = folder / name
    if made.exists():
        raise ConfigError(f"{name}: expected no such folder, found one; choose another name")
    exchanged = _exchanged(unit) + _exchanged(kind)
    whole_directory(made, lambda out: _write(out, module, exchanged))
    return made


def _exchanged(variant: str) -> list[dict[str, Any]]:
    variants = yaml.safe_load((TEMPLATE / "variants.yaml").read_text(encoding="utf-8"))
    return list(variants[variant])


def _write(out: Path, module: str, exchanged: list[dict[str, Any]]) -> None:
    package = TEMPLATE / "src" / f"cardio_{PLACEHOLDER}"
    texts = {
        file: file.read_text(encoding="utf-8")
        for file in sorted(TEMPLATE.rglob("*"))
        if file.is_file() and file.suffix != ".pyc" and file.name != "variants.yaml"
    }
    for one in exchanged:
        file = (package / one["file"]).resolve()
        if texts[file].count(one["old"]) != 1:
            raise ValueError(f"{file.name} of the template lacks {one['old']!r}, or has it twice")
        texts[file] = texts[file].replace(one["old"], one["new"])
    for file, text in texts.items():
        place = out / str(file.relative_to(TEMPLATE)).replace(PLACEHOLDER, module)
        place.parent.mkdir(parents=True, exist_ok=True)
        named = text.replace(PLACEHOLDER, module)
        named = named.replace(PLACEHOLDER.replace("_", "-"), module.replace("_", "-"))
        place.write_text(named, encoding="utf-8")
