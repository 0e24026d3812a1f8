"""The statistics package: light to import, and every public name resolves."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import cardio_stats as stats
from cardio_stats.estimate import Estimate


def test_no_module_hides_a_public_name() -> None:
    assert stats.__file__ is not None
    modules = {path.stem for path in Path(stats.__file__).parent.iterdir()}
    assert {"roc_curves", "sample_size"} <= modules
    assert not modules & set(stats.__all__)


def test_public_names_resolve_and_unknown_ones_do_not() -> None:
    for name in stats.__all__:
        assert not isinstance(getattr(stats, name), ModuleType)
    assert not hasattr(stats, "auk")


def test_every_public_name_is_listed_and_found_by_hasattr() -> None:
    assert stats.Estimate is Estimate
    assert set(stats.__all__) <= set(dir(stats))
    assert all(hasattr(stats, name) for name in stats.__all__)


def test_a_type_checker_sees_each_public_name_where_it_lives_and_no_getattr() -> None:
    """Else an editor would pass ``stats.nmae``, or warn of a name that there is."""
    assert stats.__file__ is not None
    parsed = ast.parse(Path(stats.__file__).read_text(encoding="utf-8"))
    for_checkers, for_python = (node for node in parsed.body if isinstance(node, ast.If))
    assert ast.unparse(for_checkers.test) == "TYPE_CHECKING"
    assert ast.unparse(for_python.test) == "not TYPE_CHECKING"
    seen = set()
    for node in for_checkers.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name  # else --strict does not export it
            home = __import__(str(node.module), fromlist=[alias.name])
            assert getattr(home, alias.name) is getattr(stats, alias.name)
            seen.add(alias.name)
    assert seen == set(stats.__all__)
    outside = [node.name for node in parsed.body if isinstance(node, ast.FunctionDef)]
    assert outside == []


FUNCTIONS = [name for name in stats.__all__ if isinstance(getattr(stats, name), FunctionType)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_describes_every_keyword_that_is_shared(name: str) -> None:
    function = getattr(stats, name)
    assert "options" not in inspect.signature(function).parameters
    if hasattr(function, "__wrapped__"):
        lines = inspect.getdoc(function).splitlines()
        described = {
            part.lstrip("*") for line in lines for part in line.partition(" : ")[0].split(", ")
        }
        assert set(inspect.signature(function).parameters) <= described


def test_a_keyword_that_a_function_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        stats.calibration_slope([0, 1], [0.1, 0.9], n_resamples=10)
