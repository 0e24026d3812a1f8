"""`cardio doctor`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Say what is installed, which devices are there, what is missing and how to get it.

    Exits with 1 only if the core itself is broken.
    """
    findings = examine()
    if as_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        for line in _lines(findings):
            click.echo(line)
    if findings["core"]["missing"] or findings["core"]["problem"]:
        sys.exit(1)


def examine() -> dict[str, Any]:
    """Return everything that `cardio doctor` looks at, ready for JSON."""
    import os
    import platform

    from cardio_core.io.datasets import DATASETS, data_folder
    from cardio_core.io.places import cache_dir

    folder = data_folder()
    cache = cache_dir()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "core": _core(),
        "machine": _machine(),
        "extras": _extras(),
        "plugins": _plugins(),
        "cache": {"folder": str(cache), "size_mb": _size_mb(cache)},
        "data": {
            "folder": os.environ.get("CARDIO_DATA"),
            "exists": folder is not None and folder.is_dir(),
            "found": [d.name for d in DATASETS if d.found_in(folder)],
        },
    }


def _core() -> dict[str, Any]:
    """Say whether every required package is there, and whether the runner can be imported."""
    from importlib import import_module, metadata

    required, _ = _requirements("cardio-core")
    missing = [name for name in required if not _version(name)]
    problem = None
    if not missing:
        try:
            import_module("cardio_core.runner.run")
        except Exception as error:  # whatever it is, the user must see it
            problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return {"version": metadata.version("cardio-core"), "missing": missing, "problem": problem}


def _machine() -> list[dict[str, str]]:
    try:
        from cardio_core.compute.inventory import describe_devices

        rows = describe_devices()
    except ImportError as error:
        return [{"name": "devices", "found": "unknown", "remedy": str(error)}]
    return [{"name": row.name, "found": row.found, "remedy": row.remedy} for row in rows]


def _extras() -> list[dict[str, Any]]:
    _, extras = _requirements("cardio-core")
    return [
        {
            "name": name,
            "present": [package for package in packages if _version(package)],
            "missing": [package for package in packages if not _version(package)],
            "remedy": f'pip install "./core[{name}]"',
        }
        for name, packages in extras.items()
    ]


def _plugins() -> list[dict[str, Any]]:
    from cardio_core.registry import list_plugins

    rows = []
    for plugin in list_plugins():
        required, _ = _requirements(plugin.distribution)
        rows.append(
            {
                "name": plugin.name,
                "version": plugin.version,
                "broken": plugin.reason or None,
                "missing": [name for name in required if not _version(name)],
            }
        )
    return rows


def _requirements(distribution: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the names of the packages that a distribution requires, and those of its extras.

    Where it requires another distribution with extras, ``cardio-core[train]``, their packages are
    among the required ones.
    """
    import re
    from importlib import metadata

    required: list[str] = []
    extras: dict[str, list[str]] = {}
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        name, _, rest = line.partition(";")[0].partition("[")
        with_extras = rest.partition("]")[0]
        name = re.split(r"[^\w.-]", name.strip(), maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        packages = extras.setdefault(extra[1], []) if extra else required
        packages.append(name)
        wanted = [item.strip() for item in with_extras.split(",") if item.strip()]
        offered = _requirements(name)[1] if wanted else {}
        packages += [package for item in wanted for package in offered.get(item, [])]
    return required, extras


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _size_mb(folder: Path) -> float:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(float(sum(sizes)) / 1e6, 1)


def _lines(findings: dict[str, Any]) -> list[str]:
    core = findings["core"]
    lines = [
        f"Python       {findings['python']}",
        f"platform     {findings['platform']}",
        f"cardio-core  {core['version']}",
    ]
    if core["missing"]:
        lines.append(f"    broken: {', '.join(core['missing'])} not installed; pip install ./core")
    if core["problem"]:
        lines.append(f"    broken: {core['problem']}; pip install ./core")
    lines += [_line(row["name"], row["found"], row["remedy"]) for row in findings["machine"]]
    lines += ["", "Plugins"]
    for plugin in findings["plugins"]:
        missing = plugin["missing"] and f"{', '.join(plugin['missing'])} not installed"
        problem = plugin["broken"] or missing
        state = f"broken: {problem}" if problem else "ready"
        lines.append(f"  {plugin['name']} {plugin['version']}  {state}")
    if not findings["plugins"]:
        lines.append("  none; install one from the checkout: pip install ./plugins/NAME")
    lines += ["", "Optional"]
    for extra in findings["extras"]:
        have = "present" if not extra["missing"] else f"missing: {', '.join(extra['missing'])}"
        lines.append(_line(f"  {extra['name']}", have, extra["remedy"] if extra["missing"] else ""))
    cache, data = findings["cache"], findings["data"]
    lines += ["", f"cache        {cache['folder']}, {cache['size_mb']:g} MB"]
    place = data["folder"] or "not set; it names the folder of public data sets"
    if data["folder"] and not data["exists"]:
        place += " (no such folder)"
    found = f"; holds {', '.join(data['found'])}" if data["found"] else ""
    return [*lines, f"CARDIO_DATA  {place}{found}"]


def _line(name: str, found: str, remedy: str) -> str:
    return f"{name:<12} {found}" + (f"; {remedy}" if remedy else "")
