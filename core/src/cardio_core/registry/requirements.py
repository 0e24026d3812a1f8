"""What a distribution requires of this environment, and what of it is not here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

CORE = "cardio-core"


def requirements(distribution: str, extras: Collection[str] = ()) -> Iterator[Requirement]:
    """Yield what a distribution requires here, with what the extras of others bring.

    Parameters
    ----------
    distribution : str
        Its name; one that is not installed requires nothing.
    extras : collection of str
        Instead of what it always requires, what these extras of it add.

    Examples
    --------
    >>> [one.name for one in requirements("cardio-core", ["parquet"])]
    ['pyarrow']
    """
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        one = Requirement(line)
        always = one.marker is None or one.marker.evaluate({"extra": ""})
        added = [e for e in extras if one.marker and one.marker.evaluate({"extra": e})]
        if (added and not always) if extras else always:
            yield one
            if one.extras:
                yield from requirements(one.name, one.extras)


def extras_of(distribution: str) -> list[str]:
    """Return the names of the extras that a distribution offers."""
    return metadata.metadata(distribution).get_all("Provides-Extra") or []


def is_installed(distribution: str) -> bool:
    """Whether there is any version of a distribution."""
    try:
        return bool(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return False


def unmet(one: Requirement) -> str | None:
    """Say what is wrong with one requirement and what to do; None if it is met."""
    found = metadata.version(one.name) if is_installed(one.name) else ""
    if found and one.specifier.contains(found, prereleases=True):
        return None
    what = f"{one.name}{one.specifier}"
    # A distribution of this project is not published: its bare name could be a stranger's.
    ours = one.name.lower().startswith("cardio")
    cure = "install it from its folder or wheel" if ours else f'pip install "{what}"'
    return f"requires {what}, {f'found {found}' if found else 'which is not installed'}; {cure}"


def misfit(distribution: metadata.Distribution) -> str | None:
    """Say that a plugin's distribution requires another cardio-core, and which is to be upgraded.

    Read from what is installed, without an import: pip checks no requirement of an editable
    installation afterwards, and none at all with ``--no-deps``.
    """
    if not is_installed(CORE):
        return None
    here = Version(metadata.version(CORE))
    for line in distribution.requires or ():
        one = Requirement(line)
        if canonicalize_name(one.name) != CORE or (one.marker and not one.marker.evaluate()):
            continue
        if one.specifier.contains(here, prereleases=True):
            continue
        lowest = [spec for spec in one.specifier if spec.operator in (">=", ">", "~=", "==")]
        core_is_older = any(here < Version(spec.version.removesuffix(".*")) for spec in lowest)
        return (
            f"requires {CORE}{one.specifier}, found {here}; upgrade "
            f"{CORE if core_is_older else distribution.name} from its folder or wheel"
        )
    return None
