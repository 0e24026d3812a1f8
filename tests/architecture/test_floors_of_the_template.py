"""Inside template, toy and example too an import only runs down, type-only imports included."""

from __future__ import annotations

import grimp
import pytest

from . import source_files as source

TOY = source.ROOT / "tests" / "integration" / "toy" / "src" / "cardio_toy"
FLOORS = {
    source.TEMPLATE: (
        "plugin", {"my_task", "synthetic"}, {"signal", "networks"}, "readers", "configs",
    ),
    source.EXAMPLES["heart_sounds"]: (
        "plugin", {"murmur", "synthetic"}, {"signal", "networks"}, "readers", "configs",
    ),
    TOY: (
        "plugin", {"clinic", "beats", "synthetic"}, "parts", {"bumps", "networks"}, "readers",
        "configs",
    ),
}  # fmt: skip
"""From the top; what stands together may not import each other."""


@pytest.mark.parametrize("package", FLOORS, ids=lambda path: path.name)
def test_an_import_only_runs_down_and_every_folder_has_its_floor(package, monkeypatch):
    monkeypatch.syspath_prepend(str(package.parent))
    graph = grimp.build_graph(package.name, exclude_type_checking_imports=False, cache_dir=None)
    floors = FLOORS[package]
    named = {one for floor in floors for one in ({floor} if isinstance(floor, str) else floor)}
    assert {name.rpartition(".")[2] for name in graph.find_children(package.name)} == named
    wrong = graph.find_illegal_dependencies_for_layers(layers=floors, containers={package.name})
    assert wrong == set()
