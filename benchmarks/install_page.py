"""Put what was measured into docs/install.md and the Makefile: `python` this file."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from install_sizes import PLUGINS, SMALLEST, TOGETHER

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "docs" / "results" / "install.json"
PAGE = ROOT / "docs" / "install.md"
HEAVY_MB = 20
BLOCK = re.compile(r"(<!-- install: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(stored: dict[str, Any]) -> dict[Path, str]:
    """Return the page and the Makefile as what was measured makes them."""
    blocks = {"table": table(stored), "heavy": heavy(stored)}
    texts = {path: path.read_text(encoding="utf-8") for path in (PAGE, ROOT / "Makefile")}
    page, make = texts
    texts[page] = BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}", texts[page])
    if TOGETHER in stored:
        one = stored[TOGETHER]
        disk, net = (gigabytes(one[key]) for key in ("megabytes", "downloaded_megabytes"))
        texts[make] = re.sub(
            r"(?<=INSTALL_SIZE := )[\d.]+ GB on disk, about [\d.]+ GB",
            f"{disk} on disk, about {net}", texts[make],
        )  # fmt: skip
    return texts


def table(stored: dict[str, Any]) -> str:
    """Return the sizes and times, a distribution a row, and when they were measured."""
    lines = [
        "| distribution | on disk | download | packages | installed in | smallest run |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name in SMALLEST:
        shown = "all of them, as `make demo`" if name == TOGETHER else f"`{name}`"
        if name not in stored:
            continue
        one = stored[name]
        lines.append(
            f"| {shown} | {one['megabytes']:,} MB | {one['downloaded_megabytes']:,} MB "
            f"| {one['n_packages']} | {one['installed_s']} s "
            f"| {' '.join(one['ran'].split()[:2])}, {one['ran_s']} s |"
        )
    if missing := [f"`{name}`" for name in SMALLEST if name not in stored]:
        lines += ["", f"**Not measured yet: {', '.join(missing)}.**"]
    if stored:
        days = sorted({one["date"] for one in stored.values()})
        machine = next(iter(stored.values()))["machine"]
        lines += ["", f"Measured on {' and '.join(days)}, {machine}."]
    return "\n".join(lines)


def heavy(stored: dict[str, Any]) -> str:
    """Return the large packages."""
    sizes: dict[str, int] = {}
    for one in stored.values():
        sizes |= {name: mb for name, mb in one["largest_megabytes"].items() if mb >= HEAVY_MB}
    shown = [f"{one} ({sizes[one]:,} MB)" for one in sorted(sizes, key=lambda one: -sizes[one])]
    return f"Packages of {HEAVY_MB} MB and more: {', '.join(shown)}."


def gigabytes(megabytes: float) -> str:
    """Return a size as it is told.

    Examples
    --------
    >>> gigabytes(1749)
    '1.7 GB'
    """
    return f"{megabytes / 1000:.1f} GB"


def declared_extras() -> set[str]:
    """Return the extras that distributions declare, as pip is told them."""
    found = set()
    shared = sorted(one.parent.name for one in ROOT.glob("core/*/pyproject.toml"))
    for folder in (*(f"core/{name}" for name in shared), *(f"plugins/{name}" for name in PLUGINS)):
        text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
        extras = tomllib.loads(text)["project"].get("optional-dependencies", {})
        found |= {f"./{folder}[{extra}]" for extra in extras}
    return found


if __name__ == "__main__":
    for place, text in rendered(json.loads(STORED.read_text(encoding="utf-8"))).items():
        place.write_text(text, encoding="utf-8")
