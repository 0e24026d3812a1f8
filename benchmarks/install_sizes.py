"""Install each distribution alone, from wheels, in a fresh environment: size, time, packages.

Wheels of ours are built, wheels of others downloaded; then each environment is made from these
files alone, as on a machine without a network, and the smallest run of what is in it is made.
``--only core ecg_transfer`` measures these and leaves the others as they are stored.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from importlib import metadata
from pathlib import Path
from typing import Any

from speed.origin import ROOT, origin

COMMAND = "python benchmarks/install_sizes.py --json docs/results/install.json"
PLUGINS = sorted(one.parent.name for one in ROOT.glob("plugins/*/pyproject.toml"))
CORE = ("cardio_stats", "cardio_core", "cardio_studies")
"""The distributions that are measured as `core`: they read tables and need no torch."""

STATS = "stats"
"""The statistics alone, without their command."""

WITHOUT_TORCH = (STATS, "core")

TOGETHER = "all of them"
"""What `make demo` installs: the core and every plugin."""

FIELDS = (
    "torch", "lightning", "monai", "vtk", "opencv-python-headless", "wfdb", "edfio", "pydicom",
    "nibabel", "h5py", "onnx", "pyarrow", "tensorboard", "distributed", "statsmodels", "sphinx",
    "pytest",
)  # fmt: skip
"""Packages of which a distribution is to bring only those of its own field."""

STRANGERS = {
    STATS: {*FIELDS, "click", "matplotlib", "pluggy", "pydantic"} - {"statsmodels"},
    "core": set(FIELDS) - {"statsmodels"},
    "ecg_transfer": {"vtk", "opencv-python-headless", "nibabel", "h5py"},
    "echo_cmr": {"vtk", "wfdb", "edfio", "nibabel"},
    "mmode_septal_flash": {"vtk", "wfdb", "edfio", "nibabel"},
    "spect_polar": {"vtk", "opencv-python-headless", "wfdb", "edfio"},
}
"""What must not come along."""

PAIRED = (
    "from cardio_stats import delong_paired; "
    "print(delong_paired([1, 1, 0, 0, 1], [.9, .8, .3, .1, .4], [.5, .7, .6, .2, .3]))"
)

SMALLEST = {
    STATS: f"python -c '{PAIRED}'",
    "core": "cardio judge predictions.csv --outcome responder --out page",
    **{name: f"cardio run --plugin {name} --smoke --out run" for name in PLUGINS},
    TOGETHER: "cardio run --plugin ecg_transfer --smoke --out run",
}
"""What is run in each environment."""


def main() -> None:
    """Build the wheels, install each distribution alone, run it, and store what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, required=True, help="read, and written after each")
    parser.add_argument("--only", nargs="*", help=f"of {', '.join(SMALLEST)}")
    asked = parser.parse_args()
    if unknown := set(asked.only or ()) - set(SMALLEST):
        parser.error(f"--only: expected {', '.join(SMALLEST)}, found {', '.join(unknown)}")
    stored = json.loads(asked.json.read_text()) if asked.json.exists() else {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        subprocess.run([sys.executable, ROOT / ".ci" / "dist.py", folder / "ours"], check=True)
        for name in asked.only or SMALLEST:
            stored[name] = origin(COMMAND) | measured(name, folder)
            asked.json.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
            print(name, json.dumps(stored[name]), flush=True)


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Install one distribution alone, run its smallest run, and return what was measured.

    `folder` holds the wheels of ours in ``ours``. A run that fails is told on stderr.
    """
    wheels, home = folder / "wheels", folder / "environment"
    pip = ["-m", "pip", "--disable-pip-version-check", "-q"]
    pins = ["-c", str(ROOT / "constraints.txt")]
    wanted = [] if name in WITHOUT_TORCH else [pinned_torch()]
    downloaded = clocked([sys.executable, *pip, "download", *pins, "-d", str(wheels), *wanted,
                          *wheels_of(name, folder / "ours")])  # fmt: skip
    venv.create(home, with_pip=True)
    installed = clocked([str(home / "bin" / "python"), *pip, "install", "--no-index",
                         "--find-links", str(wheels), *pins, *wanted,
                         *wheels_of(name, wheels)])  # fmt: skip
    packages = sizes(home)
    shutil.copy(ROOT / "docs" / "examples" / "predictions.csv", folder)
    began = time.monotonic()
    program, *words = shlex.split(SMALLEST[name])
    run = subprocess.run(
        [home / "bin" / program, *words], cwd=folder, capture_output=True,
        text=True, env=alone() | {"CARDIO_CACHE": str(folder / "cache")},
    )  # fmt: skip
    ran_s = time.monotonic() - began
    if run.returncode:
        print(run.stderr[-2000:], file=sys.stderr)
    found = {
        "megabytes": round(sum(size for _, size in packages.values())),
        "downloaded_megabytes": round(sum(one.stat().st_size for one in wheels.iterdir()) / 1e6),
        "n_packages": len(packages),
        "downloaded_s": round(downloaded),
        "installed_s": round(installed),
        "torch": packages.get("torch", ("", 0))[0],
        "present": [one for one in FIELDS if one in packages],
        "strangers": sorted(STRANGERS.get(name, set()) & set(packages)),
        "largest_megabytes": {
            one: round(packages[one][1])
            for one in sorted(packages, key=lambda one: -packages[one][1])
            if packages[one][1] >= 10
        },
        "ran": SMALLEST[name],
        "ran_s": round(ran_s),
        "exit_code": run.returncode,
    }
    for one in (wheels, home, folder / "run", folder / "page", folder / "cache"):
        shutil.rmtree(one, ignore_errors=True)
    return found


def clocked(command: list[str]) -> float:
    """Run a command, and return how many seconds it took."""
    began = time.monotonic()
    subprocess.run(command, check=True, env=alone())
    return time.monotonic() - began


def alone() -> dict[str, str]:
    """Return the environment without what leads Python to other code than the installed one."""
    return {name: text for name, text in os.environ.items()
            if not name.startswith(("PYTHON", "CARDIO"))}  # fmt: skip


def wheels_of(name: str, folder: Path) -> list[str]:
    """Return the wheels of ours that are installed, by path: no index is asked for their names."""
    plugins = {STATS: [], "core": [], TOGETHER: PLUGINS}.get(name, [name])
    shared = {STATS: ["cardio_stats"], "core": CORE, TOGETHER: CORE}.get(name, ())
    wanted = dict.fromkeys(shared)
    for one in plugins:
        wanted |= dict.fromkeys([*ours_below(one), f"cardio_{one}"])
    found = [folder.glob(f"{one}-*.whl") for one in wanted]
    return [str(wheel) for wheels in found for wheel in wheels]


def ours_below(plugin: str) -> list[str]:
    """Return the distributions of ours that a plugin asks for, as wheels are named."""
    text = (ROOT / "plugins" / plugin / "pyproject.toml").read_text(encoding="utf-8")
    asked = tomllib.loads(text)["project"]["dependencies"]
    names = (re.match(r"[\w-]+", one)[0].replace("-", "_") for one in asked)
    return [one for one in names if one.startswith("cardio_")]


def pinned_torch() -> str:
    """Return torch by the version that was tested."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return re.findall(r"^torch==\S+", pins, re.MULTILINE)[0]


def sizes(home: Path) -> dict[str, tuple[str, float]]:
    """Return version and megabytes of each package of an environment but pip."""
    (site,) = home.glob("lib/python*/site-packages")
    found = {}
    for one in metadata.distributions(path=[str(site)]):
        files = [Path(str(one.locate_file(file))) for file in one.files or ()]
        n_bytes = sum(file.stat().st_size for file in files if file.is_file())
        found[re.sub(r"[-_.]+", "-", one.name).lower()] = (one.version, n_bytes / 1e6)
    return {name: size for name, size in found.items() if name not in ("pip", "setuptools")}


if __name__ == "__main__":
    main()
