"""What a module says, read from its source without running it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


def locate(name: str) -> ModuleSpec | None:
    """Find a module; neither it nor a package above it is imported.

    Examples
    --------
    >>> [locate(name) is not None for name in ("json.decoder", "json.no_such", "no_such.a")]
    [True, False, False]
    """
    top, *inner = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ValueError, ImportError):
        return None  # a module made by hand
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return spec


@dataclass(frozen=True)
class Source:
    """The source of one module, ``"cardio_ppg.rhythm.load"``, and its syntax.

    `is_dynamic` says whether it may bind names that do not stand at its top level.
    """

    name: str
    tree: ast.Module
    is_package: bool
    is_dynamic: bool = False

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions that it defines at its top level."""
        return {node.name: node for node in self.tree.body if isinstance(node, Function)}

    @cached_property
    def names(self) -> set[str] | None:
        """The names that importing it can bind; None where reading cannot tell."""
        found = set(_bound(self.tree.body))
        return None if found & {"*", "__getattr__"} or self.is_dynamic else found

    def imported_with_it(self, function: str = "") -> Iterator[tuple[int, str, str]]:
        """Yield what importing it imports for certain: line, module, and a name in it or "".

        What stands under a condition, in ``try`` or for type checkers is optional and left out.
        With `function`, what the first statements of that function import comes too.
        """
        yield from self._imports(self.tree.body)
        if function in self.functions:
            yield from self._imports(self.functions[function].body)

    def home_of(self, name: str) -> tuple[str, str] | None:
        """Return the module and the name there that ``from module import name`` takes it from."""
        taken = [
            (module, alias.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and (module := self._absolute(node))
            for alias in node.names
            if (alias.asname or alias.name) == name
        ]
        return taken[-1] if taken else None

    def _imports(self, body: Iterable[ast.stmt]) -> Iterator[tuple[int, str, str]]:
        for node in body:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                yield from ((node.lineno, module, alias.name) for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        above = self.name.split(".")[: len(self.name.split(".")) - node.level + self.is_package]
        module = [node.module] if node.module else []
        return ".".join([*(above if node.level else []), *module])


def read(name: str) -> Source | None:
    """Return the source of a module; None if it has none, or does not exist.

    Raises
    ------
    SyntaxError
        If it is no Python.

    Examples
    --------
    >>> "dumps" in read("json").functions
    True
    """
    spec = locate(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    return _read(name, path, path.stat().st_mtime_ns, spec.submodule_search_locations is not None)


@cache
def _read(name: str, path: Path, changed: int, is_package: bool) -> Source:
    content = path.read_bytes()
    dynamic = any(word in content for word in (b"global", b"exec(", b"setattr("))
    return Source(name, ast.parse(content, path), is_package, dynamic)


def _bound(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield what statements bind, those inside ``if``, ``try``, ``with`` and loops too."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (a.asname or a.name.partition(".")[0] for a in node.names)
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                yield from _bound(ast.iter_child_nodes(node))


def required_arguments(function: Function) -> list[str]:
    """Return the arguments that have no default.

    Examples
    --------
    >>> code = ast.parse("def load(config, ctx, *, limit=1, strict): ...")
    >>> required_arguments(code.body[0])
    ['config', 'ctx', 'strict']
    """
    taken = function.args
    positional = [*taken.posonlyargs, *taken.args]
    needed = positional[: len(positional) - len(taken.defaults)]
    needed += [a for a, d in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if d is None]
    return [name.arg for name in needed]
