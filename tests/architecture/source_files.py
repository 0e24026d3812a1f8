"""The source files of the workspace and what they import."""

from __future__ import annotations

import ast
import configparser
import subprocess
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = {
    path.name: path
    for path in sorted(ROOT.glob("core/*/src/cardio_*"))
    if (path / "__init__.py").is_file()
}
"""Package folder of every shared distribution, by the package's name."""
CORE = SHARED["cardio_core"]
PLUGINS = {
    next(iter(tomllib.loads(file.read_text())["project"]["entry-points"]["cardio.plugins"])): next(
        path.parent for path in file.parent.glob("src/*/plugin.py")
    )
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml"))
}
"""Package folder of every plugin of the workspace, by entry-point name."""
EXAMPLES = {
    file.parent.name: next(path.parent for path in file.parent.glob("src/*/plugin.py"))
    for file in sorted(ROOT.glob("examples/*/pyproject.toml"))
}
"""Package folder of every example, under the same rules; none is installed with the plugins."""
TEMPLATE = CORE / "template" / "src" / "cardio_my_modality"
"""The package that `cardio plugins new` copies: a plugin that lies in the core's folder."""


def python_files(folder: Path) -> list[Path]:
    """Return the Python files of a package."""
    return sorted(folder.rglob("*.py"))


def module_of(path: Path, package: Path) -> str:
    """Return the dotted name of a file of a package."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return every node of a file's syntax, the module first."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def dotted(node: ast.expr) -> str:
    """Return a name with what it is looked up in, ``"torch.load"``; a call in it is ``"()"``."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"


@cache
def imports_of(path: Path, *, beside: bool = False) -> list[str]:
    """Return the modules that a file imports, wherever in it, type checking included.

    With `beside` it may import files of its own folder relatively; these are left out.
    """
    found = []
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not (beside and node.level == 1):
            assert node.level == 0, f"{path}: a relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
            found.append(str(node.module))
    return found


def tracked_texts() -> list[Path]:
    """Return the text files under version control; without git, none."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    ).stdout
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".html", ".css", ".R", ".json", ""}
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.suffix in kinds and path.is_file()]


def import_contracts() -> configparser.ConfigParser:
    """Return the contracts of import-linter."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser
