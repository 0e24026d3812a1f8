"""Build the sdist and the wheel of every distribution: `python .ci/dist.py OUT`.

Each is built from a copy of its folder, with the licence, and with a README whose links mean
something where the repository is not: what they lead to is named instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns("*.egg-info", "__pycache__", ".*_cache")
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]*)\)")
COMMENT = re.compile(r"(?<=\n\n)(?:<!--(?:(?!-->).)*-->\n)+\n?|<!--(?:(?!-->).)*-->\n?", re.DOTALL)
"""One between blank lines goes with the second, so that no two are left."""


def main(out: str) -> None:
    """Build all of them into a folder."""
    folder = Path(out).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for project in projects():
            copy = Path(made) / project.name
            stage(project, copy)
            build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
            subprocess.run([*build, str(copy)], check=True, stdout=subprocess.DEVNULL)
            print(f"built {project.relative_to(ROOT)}")  # noqa: T201


def projects() -> list[Path]:
    """Return the folders of all distributions, the core first."""
    return [one.parent for place in ("core", "plugins")
            for one in sorted(ROOT.glob(f"{place}/*/pyproject.toml"))]  # fmt: skip


def stage(project: Path, copy: Path) -> None:
    """Copy a distribution's folder, with the licence and a README that stands alone."""
    shutil.copytree(project, copy, ignore=LEFT_OUT)
    for name in ("tests", "build"):  # its own; the skeleton of a plugin has tests, too
        shutil.rmtree(copy / name, ignore_errors=True)
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy / name)
    readme = copy / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(alone(text, project.relative_to(ROOT)), encoding="utf-8")


def alone(text: str, where: Path) -> str:
    """Return a README whose relative links are the names of what they lead to.

    Examples
    --------
    >>> alone("See [the guide](../docs/guide.md#hooks) and [us](https://x.org).", Path("core"))
    'See the guide (`docs/guide.md` in the repository) and [us](https://x.org).'
    >>> alone("See [docs/guide.md](../docs/guide.md).", Path("core"))
    'See `docs/guide.md` in the repository.'
    """

    def named(found: re.Match[str]) -> str:
        target = found[3].partition("#")[0]
        path = (ROOT / where / target).resolve()
        place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else target
        if found[1]:
            return found[2]  # a picture: its words
        if found[2].strip("`") == str(place):
            return f"`{place}` in the repository"  # its own name is not said twice
        return f"{found[2]} (`{place}` in the repository)"

    return COMMENT.sub("", LINK.sub(named, text))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "dist")
