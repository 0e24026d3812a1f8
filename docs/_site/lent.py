"""The section of a module that the API lends as a whole: its constants and what it can do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import getsource, isroutine
from types import ModuleType


def section(name: str, module: ModuleType, lender: str) -> str:
    """Return the section of a module that is imported as `name` from `lender`."""
    about = (module.__doc__ or "").strip()
    directives = [
        f".. auto{kind}:: {lender}::{name}.{one}\n" for one, kind in _things(module).items()
    ]
    rows = [f"| {one} | {says} |" for one, says in constants(module)]
    return "\n".join(
        [f"## {name}", "", f"`from {lender} import {name}`: a module. {about}", "",
         "| constant | value |", "|---|---|", *rows, "", "```{eval-rst}", *directives, "```", ""]
    )  # fmt: skip


def constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield a row for each public assignment: names with values, and what stands below them.

    Examples
    --------
    >>> from cardio_core.api import canvas
    >>> next(constants(canvas))[1]
    'Hues of the theme, for series; other ones on a dark page, see `theme`.'
    """
    body = _body(module)
    for one, below in zip(body, [*body[1:], ast.Pass()], strict=True):
        if not isinstance(one, ast.Assign):
            continue
        found = (node for target in one.targets for node in ast.walk(target))
        names = [node.id for node in found if isinstance(node, ast.Name)]
        named = [name for name in names if name.isupper() and name[0] != "_"]
        if named:
            told = below.value if isinstance(below, ast.Expr) else None
            says = str(told.value) if isinstance(told, ast.Constant) else ""
            shown = ", ".join(f"`{name}` {_shown(getattr(module, name))}" for name in named)
            yield shown, " ".join(says.split())


def _things(module: ModuleType) -> dict[str, str]:
    """Return its classes and functions, those that it hands on (``as``) among them, by kind."""
    names = set()
    for one in _body(module):
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            names.add(one.name)
        elif isinstance(one, ast.ImportFrom):
            names |= {alias.name for alias in one.names if alias.asname == alias.name}
    found = {name: getattr(module, name) for name in sorted(names) if name[0] != "_"}
    return {name: "function" if isroutine(one) else "class" for name, one in found.items()}


def _body(module: ModuleType) -> list[ast.stmt]:
    return ast.parse(getsource(module)).body


def _shown(value: object) -> str:
    """Return a value as a cell shows it: a colour with a patch of it."""
    if isinstance(value, str) and value.startswith("#"):
        return f'<span style="color:{value}">&#9632;</span> {value}'
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        return " ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items())
    return str(value)
