"""No name of a file or folder is put together from data but by `SafeName`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from . import source_files as source

FROM_DATA = re.compile(
    r"target|outcome|column|covariate|label|model|recording|sample|study|patient|subject|site\b|case"
)
"""What an expression speaks of whose value comes from data."""

PACKAGES = [*source.SHARED.values(), *source.PLUGINS.values()]
MADE_BY_CODE = {"synthetic", "testing", "template", "readers", "simulation"}
"""Folders that name files after what they make themselves, or read files that exist."""


def joined(nodes: Iterable[ast.AST]) -> Iterator[ast.JoinedStr]:
    """Yield each f-string that is joined to a folder with ``/``."""
    for node in nodes:
        divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if divides and isinstance(node.right, ast.JoinedStr):
            yield node.right


def unsafe(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the f-strings among them into which something goes that comes from data."""
    return [
        ast.unparse(text)
        for text in joined(nodes)
        for part in text.values
        if isinstance(part, ast.FormattedValue) and FROM_DATA.search(ast.unparse(part.value))
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_names_from_data_are_made_by_safe_name_alone(package: Path) -> None:
    wrong = {
        f"{file.relative_to(package)}: {text}"
        for file in source.python_files(package)
        if not MADE_BY_CODE & set(file.relative_to(package).parts)
        for text in unsafe(source.nodes_of(file))
    }
    assert wrong == set()


def test_the_hole_that_was_there_is_found() -> None:
    planted = "save(run / 'figures' / f'forest-{target}.svg')\nrun / f'{number}.svg'"
    assert unsafe(ast.walk(ast.parse(planted))) == ["f'forest-{target}.svg'"]
