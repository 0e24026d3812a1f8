"""Going on with a run: what proves that it is the same one, and what is said where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardio_core.io.kept.results import CONTENTS
from cardio_core.io.kept.settings import settings_in as settings_kept
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.setup import Setup
from cardio_core.runner.standing.cohort import FILE, Contents
from cardio_core.runner.standing.differing import (
    Difference,
    NotTheSameError,
    data_differ,
    differences,
    settings_differ,
)
from cardio_core.runner.standing.ground import DATA, ground_in

UNPROVEN = (
    "This run was begun by an older cardio-core, which kept no digests of labels and code: that "
    "they are those of then was not checked when it was gone on with."
)

_TOLD = 4
_ANYWAY = "give what it was made from (--data), or repeat it all the same with --anyway"


def guard_ground(
    out: Path,
    manifest: Mapping[str, Any],
    setup: Setup,
    now: Mapping[str, Any],
    *,
    identity: str,
    seed: int,
) -> list[str]:
    """Check what is known before the data are read; return what differs and is tolerated.

    Parameters
    ----------
    out : Path
        The run directory.
    manifest : mapping
        Of the run that was begun.
    setup : Setup
    now : mapping
        What it would stand on.
    identity : str
        Digest of what is asked for now.
    seed : int

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    found = differences(ground_in(manifest), now)
    if stops := [one.words for one in found if not one.tolerated]:
        raise NotTheSameError(
            f"--out {out}: was begun with other code, packages or device ({_listed(stops)}); put "
            "that back, or start anew with another --out"
        )
    if manifest["config_digest"] != identity:
        asked = [one.words for one in settings_in(out, manifest, setup, seed)]
        raise NotTheSameError(
            f"--out {out}: was begun with another configuration, task or seed"
            f"{f' ({_listed(asked)})' if asked else ''}; repeat its command (manifest.json) with "
            "--resume, or start anew with another --out"
        )
    return [one.words for one in found]


def settings_in(
    run: Path, manifest: Mapping[str, Any], setup: Setup, seed: int
) -> list[Difference]:
    """Return the settings in which a run directory and what is asked for now differ."""
    file = run / "config.yaml"
    if not file.is_file():
        return []
    kept = settings_kept(run)
    then = {name: manifest[name] for name in ("plugin", "task", "protocols", "seed")}
    now = {
        "plugin": setup.plugin.info.name,
        "task": setup.task.name,
        "protocols": list(setup.protocols),
        "seed": seed,
    }
    return settings_differ(then | kept, now | setup.config.model_dump(mode="json"))


def guard_data(
    out: Path, begun: Mapping[str, Any], contents: Contents, splits: str, files: str
) -> None:
    """Check that a run goes on with the recordings, labels and folds that it was begun with.

    Parameters
    ----------
    out : Path
        The run directory.
    begun : mapping
        Its manifest.
    contents : Contents
        What was read now.
    splits, files : str
        Digests of the folds, and of all files.

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    if found := _data_in(out, begun, contents, splits, files):
        raise NotTheSameError(
            f"--out {out}: the data changed since this run began ({_listed(found)}); put them "
            "back, or start anew with another --out"
        )


def guard_repeated(run: Path, contents: Contents, splits: str, files: str) -> None:
    """Check that a finished run is repeated on the data that it was made from.

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    manifest = Manifest.open(run).content
    if found := _data_in(run, manifest, contents, splits, files):
        raise NotTheSameError(
            f"{run}: the data are not those of then ({_listed(found)}); {_ANYWAY}"
        )


def guard_settings_of(run: Path, setup: Setup, seed: int) -> None:
    """Check that a finished run is repeated with its own settings.

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    found = settings_in(run, Manifest.open(run).content, setup, seed)
    if found:
        words = _listed([one.words for one in found])
        raise NotTheSameError(f"{run}: the settings are not those of then ({words}); {_ANYWAY}")


def _data_in(
    run: Path, begun: Mapping[str, Any], contents: Contents, splits: str, files: str
) -> list[str]:
    now = contents.summed() | {"splits": splits}
    then = {name: one for name, one in ground_in(begun).items() if name in DATA}
    found = [one.words for one in data_differ(then, now, kept_contents(run), contents.to_dict())]
    if not found and begun["data"].get("digest") not in (None, files):
        found = ["files of recordings differ"]  # what an older core kept
    if not found and begun.get("split_digest") not in (None, splits):
        found = ["patients fall into other folds"]
    return found


def kept_contents(run: Path) -> dict[str, Any]:
    """Return what a run keeps of its recordings, empty where it keeps nothing."""
    file = run / FILE
    return dict(CONTENTS.read_or(file, {}))


def tolerated_note(words: Sequence[str]) -> list[str]:
    """Return the note that a run keeps of what was tolerated when it was gone on with."""
    if not words:
        return []
    return [f"Gone on with although {', '.join(words)}: numbers may differ in their last digits."]


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _TOLD
    return "; ".join(words[:_TOLD]) + (f"; and {more} more" if more > 0 else "")
