"""What to type for a package that is lacking: a checkout has folders, a wheel has names."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution

CORE = "cardio-core"


def from_folder() -> bool:
    """Return whether the core was installed from a folder, and so from a checkout.

    The record of an installation from a wheel names an archive; that from an index is absent.
    Where the core was not installed at all, its sources lie in a checkout.
    """
    try:
        said = distribution(CORE).read_text("direct_url.json")
        return said is not None and "dir_info" in json.loads(said)
    except PackageNotFoundError:
        return True
    except (ValueError, TypeError, OSError):
        return False


def core_named(extra: str = "") -> str:
    """Return what pip calls the core with an extra.

    The name alone is safe because it is only said where the core is there: pip then takes what the
    extra asks for, and leaves the core as it is.
    """
    asked = f"[{extra}]" if extra else ""
    return f"./core{asked}" if from_folder() else f"{CORE}{asked}"


def install_extra(extra: str) -> str:
    """Return the command that brings an extra of the core, and where it is typed."""
    where = " in the cardio checkout" if from_folder() else ""
    return f'pip install "{core_named(extra)}"{where}'


def install_plugin(name: str = "NAME") -> str:
    """Return the command that brings a plugin.

    Without a checkout it is the plugin's wheel: no distribution of this project is published, and
    the bare name of one that is not there could be anybody's.
    """
    return f"pip install ./plugins/{name}" if from_folder() else f"pip install cardio_{name}-*.whl"
