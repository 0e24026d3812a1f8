"""One plan for every plugin, the toy and the template included: know one, know all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio_core.hookspecs import HOOKS

from . import source_files as source

TOY = source.ROOT / "tests" / "integration" / "toy" / "src" / "cardio_toy"
PACKAGES = {**source.PLUGINS, **source.EXAMPLES, "toy": TOY, "template": source.TEMPLATE}
ROOMS = {"readers", "networks", "drawing", "published", "synthetic", "configs"}
"""Folders of every plugin, beside its families and its science; what it does not need, it lacks."""


def folders(package: Path) -> Iterator[Path]:
    """Yield the folders of a package that hold Python files, itself included."""
    for folder in (package, *sorted(package.rglob("*"))):
        if folder.is_dir() and folder.name != "__pycache__" and any(folder.glob("*.py")):
            yield folder


def families(package: Path) -> list[Path]:
    """Return the folders in which hooks live."""
    return [folder for folder in folders(package) if (folder / "load.py").is_file()]


def tree_of(package: Path) -> list[str]:
    """Return the plan of a plugin: its rooms by kind, the families as one word."""
    own = {folder.name for folder in families(package)}
    inside = {folder.name for folder in folders(package) if folder.parent == package}
    return ["plugin.py", *(["<family>"] if own else []), *sorted(inside & ROOMS)]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_plugin_has_a_family_of_hooks_and_a_synthetic_cohort(name):
    tree = tree_of(PACKAGES[name])
    assert tree[:2] == ["plugin.py", "<family>"]
    assert {"synthetic", "configs"} <= set(tree)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_family_holds_its_hooks_under_their_names(name):
    for family in families(PACKAGES[name]):
        there = {path.stem for path in family.glob("*.py")}
        assert set(HOOKS[:5]) <= there, family
        assert "config" in there, family


@pytest.mark.parametrize("name", [*source.SHARED, *PACKAGES])
def test_no_two_files_import_each_other_in_a_circle(name):
    package = {**source.SHARED, **PACKAGES}[name]
    assert circles(package) == []


@pytest.mark.parametrize("name", [*source.SHARED, *PACKAGES])
def test_no_two_folders_import_each_other(name):
    assert folder_pairs({**source.SHARED, **PACKAGES}[name]) == []


def edges_of(package: Path) -> dict[str, set[str]]:
    """Return what each file of a package imports of it; type-only imports count."""
    files = {source.module_of(path, package): path for path in source.python_files(package)}
    # A name that a package lends lazily is imported from the package, not from its file.
    return {
        module: {other for other in source.imports_of(path) if other in files and other != module}
        for module, path in files.items()
    }


def circles(package: Path) -> list[list[str]]:
    """Return the sets of files that import each other in a circle."""
    return [sorted(group) for group in _strongly_connected(edges_of(package)) if len(group) > 1]


def folder_pairs(package: Path) -> list[tuple[str, str]]:
    """Return the folders, neither inside the other, that import each other."""
    edges = edges_of(package)
    folders = {
        module: module if (package.parent / module.replace(".", "/")).is_dir()
        else module.rpartition(".")[0] for module in edges
    }  # fmt: skip
    arrows = {(folders[here], folders[there]) for here, own in edges.items() for there in own}
    return sorted(
        (here, there) for here, there in arrows
        if here < there and (there, here) in arrows and not there.startswith(f"{here}.")
    )  # fmt: skip


def _strongly_connected(edges: dict[str, set[str]]) -> list[set[str]]:
    """Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = set()
            while node not in group:
                group.add(stack.pop())
            found.append(group)

    for node in edges:
        if node not in index:
            visit(node)
    return found
