"""Definitions of the sources, each with a digest that a move or a new name leaves alone.

A definition is a statement at the top of a module or a method. A digest is of the syntax alone:
without docstrings, comments, imports, annotations, what is raised, declarations of commands,
descriptions of settings, and texts of three words or more, which are written for readers. Names of
parameters, local variables and top-level definitions do not count; a reference to another
definition counts as what that one does, an error as any other.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

_FOLDERS = ("core", "plugins", "benchmarks", "tests")
_SKIPPED = {"build", "dist", "__pycache__", "node_modules"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMPORTS = (ast.Import, ast.ImportFrom)
_MAKING = ("__init__", "__post_init__")
_COMMAND = re.compile(r"\bclick\b|\.command\(")
_NOT_DUMPED = {"ctx", "kind", "type_comment", "type_params"}
_REFERENCE = re.compile("\0(\\d+)\0")


@dataclass(eq=False)
class Definition:
    """A statement at the top of a module, other than an import, or a method of a class.

    Attributes
    ----------
    module : str
    names : tuple of str
        What it binds; none where it is run for its effect.
    packages : set of str
        Roots of the modules of others that it refers to.
    parameters : tuple of str
        What it is called with, where it is a function or a class.
    """

    module: str
    names: tuple[str, ...]
    node: ast.stmt = field(repr=False)
    packages: set[str] = field(default_factory=set, repr=False)
    references: list[Definition] = field(default_factory=list, repr=False)
    text: str = field(default="", repr=False)
    parameters: tuple[str, ...] = field(default=(), repr=False)
    members: list[Definition] = field(default_factory=list, repr=False)

    @cached_property
    def own_digest(self) -> str:
        """Digest in which all references look alike."""
        return _digest(_REFERENCE.sub("\0", self.text))

    @cached_property
    def digest(self) -> str:
        """Digest in which a reference is the own digest of what it leads to."""
        return _digest(
            _REFERENCE.sub(lambda found: self.references[int(found[1])].own_digest, self.text)
        )


@dataclass(eq=False)
class _Module:
    name: str
    path: Path
    folder: str
    definitions: list[Definition]
    imported: dict[str, str]
    named: dict[str, list[Definition]]


class Sources:
    """All modules of a repository.

    Parameters
    ----------
    root : Path
        Its ``core``, ``plugins``, ``benchmarks`` and ``tests`` are read.
    """

    def __init__(self, root: Path) -> None:
        self._modules: dict[str, _Module] = {}
        for path in _python_files(root):
            module = _read(path, root)
            self._modules[module.name] = module
        for module in self._modules.values():
            for one in module.definitions:
                for each in (one, *one.members):
                    each.text = _dumped(_Normal(self, module, each).visit(each.node))
                    if each is not one:  # who calls a method names it
                        each.text += each.names[0].rpartition(".")[2]
                one.references += one.members

    @cached_property
    def digests(self) -> dict[str, Definition]:
        """A definition of each digest."""
        return {one.digest: one for one in self}

    def __iter__(self) -> Iterator[Definition]:
        for module in self._modules.values():
            for one in module.definitions:
                yield from (one, *one.members)

    def entry(self, name: str) -> list[Definition]:
        """Return the definitions that an entry names, none if there is no such thing.

        Parameters
        ----------
        name : str
            A module or package with all in it, ``module:name`` for one definition, or the path of
            a script.
        """
        module, _, wanted = name.partition(":")
        if module.endswith(".py"):
            module = _dotted(Path(module))
        if wanted:
            found = self.resolve(f"{module}.{wanted}")[0]
            return found or []
        return [
            one
            for key, inside in self._modules.items()
            if key == module or key.startswith(f"{module}.")
            for one in inside.definitions
        ]

    def reached(self, entries: Iterable[Definition]) -> set[Definition]:
        """Return the definitions that some of them lead to, themselves included."""
        found: set[Definition] = set()
        waiting = list(entries)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += one.references
                waiting += [each for each in self._modules[one.module].definitions
                            if not each.names]  # fmt: skip
        return found

    def resolve(self, dotted: str, depth: int = 0) -> tuple[list[Definition] | None, str | None]:
        """Return the definitions that a dotted name leads to, and the rest of the name.

        The definitions are None for a module of others; the rest is None for a whole module.
        """
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            module = self._modules.get(".".join(parts[:end]))
            if module is None:
                continue
            if end == len(parts):
                return module.definitions, None
            name, rest = parts[end], ".".join(parts[end + 1 :])
            if name in module.named:
                return module.named[name], rest
            if name in module.imported and depth < 20:
                target = module.imported[name] + (f".{rest}" if rest else "")
                if target != dotted:
                    return self.resolve(target, depth + 1)
            return [], ".".join(parts[end:])
        return None, dotted

    def absolute(self, dotted: str, folder: str) -> str:
        """Return a dotted name as it is known here; scripts import what lies next to them."""
        near = dotted.partition(".")[0] in self._next_to.get(folder, ())
        return f"{folder}.{dotted}" if near else dotted

    @cached_property
    def _next_to(self) -> dict[str, set[str]]:
        """Names that a script can import from its folder and no package bears, by folder."""
        found: dict[str, set[str]] = {}
        for name in self._modules:
            parts = name.split(".")
            for end in range(1, len(parts)):
                found.setdefault(".".join(parts[:end]), set()).add(parts[end])
        return {folder: names - set(self._modules) for folder, names in found.items()}


def _python_files(root: Path) -> list[Path]:
    return [
        path
        for folder in _FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        if not any(part in _SKIPPED or part.startswith(".")
                   for part in path.relative_to(root).parts)
    ]  # fmt: skip


def _dotted(path: Path) -> str:
    """Return a module's name: below the last ``src`` of its path, or from the root."""
    parts = path.with_suffix("").parts
    if "src" in parts:
        parts = parts[len(parts) - parts[::-1].index("src") :]
    return ".".join(part for part in parts if part != "__init__")


def _read(path: Path, root: Path) -> _Module:
    inside = path.relative_to(root)
    name = _dotted(inside)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_bytes())
    imported = _imported(tree.body, package)
    definitions: list[Definition] = []
    named: dict[str, list[Definition]] = {}
    for node in tree.body:
        names = tuple(dict.fromkeys(_bound(node)))
        if _is_text(node) or names == ("__all__",) or isinstance(node, _IMPORTS):
            continue
        one = Definition(name, names, node, parameters=_parameters(node))
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body
                       if isinstance(each, _FUNCTIONS) and each.name not in _MAKING]  # fmt: skip
            node.body = [each for each in node.body if each not in methods]
            one.members = [Definition(name, (f"{node.name}.{each.name}",), each)
                           for each in methods]  # fmt: skip
        definitions.append(one)
        for each in names:
            named.setdefault(each, []).append(one)
    return _Module(name, path, ".".join(inside.parent.parts), definitions, imported, named)


def _imported(body: list[ast.stmt], package: str) -> dict[str, str]:
    """Return what each imported name stands for, as a dotted name."""
    found: dict[str, str] = {}
    for node in (each for statement in body for each in ast.walk(statement)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = alias.name
                else:
                    root = alias.name.partition(".")[0]
                    found[root] = root
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                found[alias.asname or alias.name] = f"{base}.{alias.name}"
    return found


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds in the module."""
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    elif not isinstance(node, (*_COMPREHENSIONS, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)  # type: ignore[arg-type]


def _parameters(node: ast.stmt) -> tuple[str, ...]:
    """Return the parameters of a function, or those that make an object of a class."""
    if isinstance(node, ast.ClassDef):
        made = [each for each in node.body if isinstance(each, _FUNCTIONS) and each.name in _MAKING]
        if made and made[0].name == "__init__":
            return _parameters(made[0])[1:]
        return tuple(each.target.id for each in node.body if isinstance(each, ast.AnnAssign)
                     and isinstance(each.target, ast.Name))  # fmt: skip
    return tuple(one.arg for one in _arguments(node)) if isinstance(node, _FUNCTIONS) else ()


def _arguments(node: Any) -> list[ast.arg]:
    given = node.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one for one in every if one is not None]


def _is_wording(node: ast.AST) -> bool:
    """Return whether it is a text of three words or more: those are written for readers."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value if isinstance(part, ast.Constant) else "x" for part in parts]
    known = isinstance(node, (ast.JoinedStr, ast.Constant)) and isinstance(texts[0], str)
    return known and len("".join(texts).split()) > 2  # type: ignore[arg-type]


def _kept(node: ast.expr) -> ast.expr:
    """Return a text in a form in which all its words count."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.Constant((node.value,))
    return node


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


class _Normal(ast.NodeTransformer):
    """Takes out what no number hangs on, marks references, and numbers local names."""

    def __init__(self, sources: Sources, module: _Module, one: Definition) -> None:
        self._sources, self._module, self._one = sources, module, one
        self._scopes: list[dict[str, str]] = []

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, (*_IMPORTS, ast.Pass)) or _is_text(node):
            return None
        if isinstance(node, ast.Raise):
            return ast.Raise()
        if _is_wording(node):  # what is computed in it counts
            inside = [one.value for one in ast.walk(node) if isinstance(one, ast.FormattedValue)]
            return ast.Tuple([self.visit(one) for one in inside])
        if isinstance(node, (*_FUNCTIONS, *_COMPREHENSIONS, ast.Lambda)):
            return self._scope(node)
        return super().visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        kept = self.generic_visit(node)
        return kept if node.body or node.orelse else None

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [
            one for one in node.keywords
            if not (one.arg in {"description", "help"} and isinstance(one.value, ast.Constant))
        ]  # fmt: skip
        if isinstance(node.func, ast.Attribute):
            called = node.func.value
            if node.func.attr == "split":  # many names in a text, not words for a reader
                node.func.value = _kept(called)
            elif isinstance(called, ast.Name) and called.id == "re":
                node.args = [_kept(one) for one in node.args]
        node.func = self.visit(node.func)
        if isinstance(node.func, ast.Name) and (mark := _REFERENCE.fullmatch(node.func.id)):
            names = self._one.references[int(mark[1])].parameters
            for one in node.keywords:
                if one.arg in names:
                    one.arg = str(names.index(one.arg))
        for part in ("args", "keywords"):
            setattr(node, part, [self.visit(one) for one in getattr(node, part)])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.slice = _kept(node.slice)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        target = self.visit(node.target)
        if node.value is None:
            return None if self._scopes and "" in self._scopes[-1] else ast.Expr(target)
        return ast.Assign([target], self.visit(node.value))

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._scopes[-1].get(node.arg, node.arg) if self._scopes else node.arg)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._referred(node.id, [])

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        rest: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            rest.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            return self._referred(inner.id, rest)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and re.fullmatch(r"cardio_\w+(\.\w+)+(:\w+)?", node.value):
            node.value = re.split(r"[.:]", node.value)[-1]
        return node

    def _scope(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _FUNCTIONS):
            node.returns = None
            if any(_COMMAND.search(ast.unparse(one)) for one in node.decorator_list):
                node.decorator_list = []
        if any("" in scope for scope in self._scopes):  # inside a function its locals are known
            return self.generic_visit(node)
        self._scopes.append({"": "", **_locals(node)})
        kept = self.generic_visit(node)
        self._scopes.pop()
        return kept

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name and self._scopes:
            node.name = self._scopes[-1].get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        names = {name: name for statement in node.body for name in _bound(statement)}
        for part in ("bases", "keywords", "decorator_list"):
            setattr(node, part, [self.visit(one) for one in getattr(node, part)])
        body = []
        for statement in node.body:
            inner = isinstance(statement, (*_FUNCTIONS, ast.ClassDef))
            if not inner:
                self._scopes.append(names)
            body.append(self.visit(statement))
            if not inner:
                self._scopes.pop()
        node.body = body
        return node

    def _referred(self, name: str, rest: list[str]) -> ast.AST:
        for scope in reversed(self._scopes):
            if name in scope:
                return _attributes(scope[name], rest)
        module = self._module
        if name in module.named:
            return self._marked(module.named[name], rest)
        if name not in module.imported:
            return _attributes(name, rest)
        dotted = self._sources.absolute(".".join([module.imported[name], *rest]), module.folder)
        found, left = self._sources.resolve(dotted)
        if found is None:
            self._one.packages.add(dotted.partition(".")[0])
            return ast.Name(dotted)
        if left is None:  # a module as a value: all in it is reached, and which it is has no digest
            self._one.references += found
            return ast.Name("\0")
        return self._marked(found, left.split(".") if left else [])

    def _marked(self, found: list[Definition], rest: list[str]) -> ast.AST:
        others = [one for one in found if one is not self._one and not _is_error(one)]
        first = len(self._one.references)
        self._one.references += others
        marks = "".join(f"\0{first + place}\0" for place in range(len(others)))
        return _attributes(marks or "\0", rest)


def _is_error(one: Definition) -> bool:
    return isinstance(one.node, ast.ClassDef) and one.node.name.endswith("Error")


def _attributes(name: str, rest: list[str]) -> ast.expr:
    node: ast.expr = ast.Name(name)
    for one in rest:
        node = ast.Attribute(node, one)
    return node


def _locals(scope: ast.AST) -> dict[str, str]:
    """Return a number for each parameter and local variable of a function."""
    found: dict[str, str] = {}
    kept: dict[str, str] = {}
    for one in ast.walk(scope):
        if isinstance(one, ast.arg):
            found.setdefault(one.arg, f"local {len(found)}")
        elif isinstance(one, ast.Name):
            if isinstance(one.ctx, ast.Store):
                found.setdefault(one.id, f"local {len(found)}")
        elif isinstance(one, ast.ExceptHandler):
            if one.name:
                found.setdefault(one.name, f"local {len(found)}")
        elif isinstance(one, (*_FUNCTIONS, ast.ClassDef)) and one is not scope:
            kept[one.name] = one.name
    outer = {name for one in ast.walk(scope) if isinstance(one, (ast.Global, ast.Nonlocal))
             for name in one.names}  # fmt: skip
    return {name: new for name, new in (found | kept).items() if name not in outer}


def _dumped(node: Any) -> str:
    """Return a statement's syntax in a form that is the same in every version of Python."""
    top = isinstance(node, (*_FUNCTIONS, ast.ClassDef))
    named = isinstance(node, (ast.Assign, ast.AnnAssign))
    return _dump(node, {"name"} if top else {"targets", "target"} if named else set())


def _dump(node: Any, without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    if isinstance(node, ast.AST):
        parts = [
            f"{name}={_dump(value)}"
            for name, value in ast.iter_fields(node)
            if name not in _NOT_DUMPED and name not in without and value not in (None, [])
        ]
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    return node if isinstance(node, str) and "\0" in node else repr(node)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
