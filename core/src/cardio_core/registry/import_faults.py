"""Names that lead nowhere: references of INFO, and imports that would fail when they are made."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cardio_core import api
from cardio_core.registry.hook_faults import place_of
from cardio_core.registry.naming import hint
from cardio_core.registry.reading import locate, read


def in_references(named: dict[str, str]) -> Iterator[str]:
    """Yield each ``"package.module:attribute"`` that does not exist; `named` says who names it."""
    for who, reference in named.items():
        module, _, name = reference.partition(":")
        source = read(module)
        if locate(module) is None:
            lack = f"there is no module {module}; "
        elif source and source.names is not None and name not in source.names:
            lack = f"{place_of(source)} has no {name!r}; {hint(name, source.names)}"
        else:
            continue
        yield f"{who} names {reference!r}, but {lack}write it, or mend the name"


def in_configs(package: str) -> Iterator[str]:
    """Yield what is wrong with the package that holds the configurations."""
    spec = locate(package)
    places = spec.submodule_search_locations or [] if spec else []
    if not any((Path(place) / "default.yaml").is_file() for place in places):
        yield (
            f"there is no default.yaml in the package {package}; write it, and list it under "
            "[tool.setuptools.package-data]"
        )


def in_imports(roots: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield imports that would fail, in these modules and those of the plugin that they import.

    A root is a module that will be imported, and the function in it that will be called, or "".
    """
    todo, seen = list(roots), set()
    others: dict[str, bool] = {"cardio_core": True}
    while todo:
        root = todo.pop()
        source = read(root[0]) if root not in seen else None
        seen.add(root)
        if source is None:
            continue
        own = source.name.partition(".")[0]
        for line, module, name in source.imported_with_it(root[1]):
            top = module.partition(".")[0]
            problem = None
            if top == own:
                parts = module.split(".")
                todo += [(".".join(parts[: n + 1]), "") for n in range(len(parts))]
                todo.append((f"{module}.{name}", ""))
                problem = _own_problem(module, name)
            elif module == api.__name__ and name not in ("", "*", *api.__all__):
                problem = (
                    f"imports {name!r}, which {module} does not offer; {hint(name, api.__all__)}"
                    "docs/writing_a_plugin.md lists what it does"
                )
            elif top not in sys.stdlib_module_names:
                if top not in others:
                    others[top] = locate(top) is not None
                if not others[top]:
                    problem = (
                        f"imports {top}, which is not installed; install it, or the plugin again "
                        "with it"
                    )
            if problem:
                yield f"{place_of(source, line)} {problem}"


def _own_problem(module: str, name: str) -> str | None:
    """Say why importing a name from a module of the plugin would fail; None if it will not."""
    if locate(module) is None:
        return f"imports {module}, which does not exist; mend the name"
    source = read(module) if name not in ("", "*") else None
    if source is None or source.names is None or name in source.names or locate(f"{module}.{name}"):
        return None
    near = hint(name, source.names)
    return f"imports {name!r}, which {place_of(source)} does not define; {near}mend the name"
