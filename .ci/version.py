"""The version of all distributions, held in one place: `python .ci/version.py [X.Y.Z]`.

It is that of core/cardio-core/pyproject.toml. Every other place that repeats it is listed here:
with a version all of them are rewritten, without one what differs is printed, and the exit code
is 1.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN = re.compile(r'(?<=^version = ")[^"]+(?=")', re.MULTILINE)
CITED = re.compile(r"(?<=^version: )\S+", re.MULTILINE)
NAMED = re.compile(r"(?<=cardio-core )[\d.]+\d|(?<=cardio-ecg-transfer )[\d.]+\d")
ASKED = re.compile(
    r"(?<=cardio-)((?:core|stats|ultrasound|studies)(?:\[[\w,]+\])?)>=[\d.]+,<[\d.]+"
)
TEMPLATE = "core/cardio-core/src/cardio_core/template/pyproject.toml"


def main() -> None:
    """Print what differs, or write a new version everywhere."""
    version = sys.argv[1] if len(sys.argv) > 1 else current()
    for path, text in rewritten(version).items():
        if len(sys.argv) > 1:
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {version}")  # noqa: T201
    if len(sys.argv) == 1 and rewritten(version):
        sys.exit(1)


def current() -> str:
    """Return the version of the core."""
    text = (ROOT / "core" / "cardio-core" / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def rewritten(version: str) -> dict[Path, str]:
    """Return every file that does not say this version yet, as it would."""
    major, minor = map(int, version.split(".")[:2])
    asked = rf"\1>={major}.{minor},<{major}.{minor + 1}"
    own = [*ROOT.glob("core/*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml"),
           *ROOT.glob("examples/*/pyproject.toml"),
           *ROOT.glob("tests/integration/toy/pyproject.toml")]  # fmt: skip
    asking = [*own, ROOT / TEMPLATE, *ROOT.glob("docs/writing_a_plugin.md"),
              ROOT / "docs" / "howto" / "ci_for_a_plugin.md"]  # fmt: skip
    found = {}
    for path in asking:
        before = path.read_text(encoding="utf-8")
        after = OWN.sub(version, before, count=1) if path in own else before
        after = ASKED.sub(asked, after)
        if after != before:
            found[path] = after
    for path, pattern in ((ROOT / "CITATION.cff", CITED), (ROOT / "docs" / "citing.md", NAMED)):
        before = path.read_text(encoding="utf-8")
        if (after := pattern.sub(version, before)) != before:
            found[path] = after
    return found


if __name__ == "__main__":
    main()
