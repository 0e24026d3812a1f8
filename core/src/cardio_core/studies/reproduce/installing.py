"""What would have to be installed to have what a run was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.runner.standing.ground import ground_in

_COMMIT = 10


def environment_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was made with, as names with versions.

    Returns
    -------
    dict
        ``python``, ``pip`` (``NAME==VERSION`` of everything that the core and the plugin require)
        and ``ours``: distributions of this project, which no index has, with version and commit.
    """
    then = ground_in(manifest)
    packages = {**then.get("packages", {}), **then.get("aside", {})}
    ours = [{"name": "cardio-core", **_ours(then["core"], manifest.get("git_commit"))}]
    plugin = then["plugin"]
    ours.append({"name": f"plugin {plugin['name']}", **_ours(plugin, None)})
    return {
        "python": then.get("python"),
        "pip": [_pinned(name, packages[name]) for name in sorted(packages, key=str.lower)],
        "ours": ours,
    }


def to_install(manifest: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the lines that bring back what is here in another version.

    None of our distributions is published: they are named with the commit to check out.

    Examples
    --------
    >>> ground = {"core": {"version": "0.1.0"}, "plugin": {"name": "toy", "version": "0.2.0"}}
    >>> then = {"stands_on": ground | {"packages": {"numpy": "2.4.6"}}}
    >>> to_install(then, ground | {"packages": {"numpy": "2.5.0"}})
    ['pip install "numpy==2.4.6"']
    """
    then = ground_in(manifest)
    lines = []
    if then.get("python", now.get("python")) != now.get("python"):
        lines.append(f"Python {then['python']}")
    wanted = {**then.get("packages", {}), **then.get("aside", {})}
    here = {**now.get("packages", {}), **now.get("aside", {})}
    other = [n for n in sorted(wanted, key=str.lower) if here.get(n, wanted[n]) != wanted[n]]
    if other:
        lines.append("pip install " + " ".join(f'"{_pinned(n, wanted[n])}"' for n in other))
    for part, title in (("core", "cardio-core"), ("plugin", f"plugin {then['plugin']['name']}")):
        before, after = then[part], now[part]
        keys = [key for key in ("version", "code") if key in before]
        if any(before[key] != after[key] for key in keys):
            commit = before.get("commit") or (manifest.get("git_commit") if part == "core" else "")
            lines.append(_checkout(title, before["version"], commit, after.get("commit")))
    return lines


def _checkout(title: str, version: str, commit: str | None, here: str | None) -> str:
    what = f"{title} {version}"
    if not commit:
        return f"{what}: from its folder or wheel; no commit is known"
    if commit == here:
        return (
            f"{what}: commit {commit[:_COMMIT]} is checked out, so one of the two had changes that "
            "were not committed"
        )
    return f"{what}: git checkout {commit[:_COMMIT]} in its repository, installed from there"


def _ours(about: Mapping[str, Any], commit: str | None) -> dict[str, Any]:
    found = {"version": about["version"], "commit": about.get("commit") or commit}
    return found | ({"code": about["code"]} if "code" in about else {})


def _pinned(name: str, version: str) -> str:
    """Return ``NAME==VERSION``; a build's own mark (``+cpu``) is on no index.

    Examples
    --------
    >>> _pinned("torch", "2.13.0+cpu")
    'torch==2.13.0'
    """
    return f"{name}=={version.partition('+')[0]}"
