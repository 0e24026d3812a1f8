"""Going on with a run: what proves that it is the same one, and what is said where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.io.cohort_columns import COLUMNS, OWN_PREFIX
from cardio_core.io.hashing import digest
from cardio_core.io.run_schema import CONTENTS
from cardio_core.io.settings_schema import settings_in as stored_settings
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.protocols import ProtocolData
from cardio_core.runner.provenance import (
    UNNAMED,
    Difference,
    NotTheSameError,
    data_differ,
    differences,
    settings_differ,
)
from cardio_core.runner.setup import Setup
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import KEY_OF_UNIT, Targets

# Digests of a cohort: its recordings, its labels and its table; none holds the name of a file.

FILE = "contents.json"
"""In the run directory: what of each recording was read. An exported folder never holds it."""

_SHORT = 16


@dataclass(frozen=True)
class Contents:
    """What a cohort holds, by digests.

    Attributes
    ----------
    recordings : mapping of str to dict
        By recording: ``patient``, ``content`` (of all files that decide about it), ``own`` (SHA-256
        of each file that no other patient's can equal), ``about`` (what `load` says of it) and
        ``labels``.
    table : mapping of str to str
        By column of the cohort table, without those that name files; one of the cohort's own that
        nobody asked for is called ``own:`` and twelve digits, for its name can tell a patient's.
    labels : str
        Of all targets, of people without a recording, too.
    """

    recordings: Mapping[str, Mapping[str, Any]]
    table: Mapping[str, str]
    labels: str

    def summed(self) -> dict[str, str]:
        """Return one digest each, for the manifest."""
        about = {
            name: [recording["patient"], recording["content"], recording["about"]]
            for name, recording in self.recordings.items()
        }
        return {
            "recordings": digest(about),
            "labels": self.labels,
            "table": digest(dict(self.table)),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what `contents.json` holds."""
        return {"recordings": dict(self.recordings), "table": dict(self.table)}


def contents_of(protocols: Sequence[ProtocolData]) -> Contents:
    """Return what the protocols of a run were made from.

    A protocol may load otherwise: its digests then stand under the recording with its own name.
    """
    recordings: dict[str, Mapping[str, Any]] = {}
    table: dict[str, str] = {}
    labels = []
    for data in protocols:
        cohort = data.prepared.cohort
        columns = label_digests(cohort.targets, cohort.samples.table)
        labels.append(digest(columns))
        for name, recording in _recordings(data, columns["rows"]).items():
            same = recordings.get(name, recording) == recording
            recordings[name if same else f"{name} ({data.protocol})"] = recording
        targets = [OWN_PREFIX + str(name) for name in cohort.targets.table.columns]
        requested = (*data.config.covariates, data.config.outcome.column)
        table |= _columns(cohort, {*COLUMNS, *targets, *requested})
    return Contents(recordings, table, digest(labels))


def label_digests(targets: Targets, recordings: pd.DataFrame) -> dict[str, Any]:
    """Return the targets by digests, whatever the order of their rows.

    Parameters
    ----------
    targets : Targets
    recordings : DataFrame
        One row a recording, indexed by its id.

    Returns
    -------
    dict
        ``rows``: by recording, of its labels; ``all``: of every row, strata and stretches that are
        not scored.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["A", "B"]}, index=["a", "b"])
    >>> def rows(*labels):
    ...     known = pd.DataFrame({"ill": labels}, index=["A", "B"])
    ...     return label_digests(Targets("patient", known), table)["rows"]
    >>> [name for name in "ab" if rows(0, 1)[name] != rows(0.0, None)[name]]
    ['b']
    """
    by_key = _rows(targets)
    if targets.unit in ("event", "sample", "recording"):
        keys = pd.Series(recordings.index.astype(str), index=recordings.index)
    else:
        keys = recordings[KEY_OF_UNIT[targets.unit]].astype(str)
    rows = {str(name): _of(by_key.get(key, ())) for name, key in keys.items()}
    more: dict[str, Any] = {"unit": targets.unit, "columns": list(map(str, targets.table.columns))}
    if targets.excluded is not None:
        more["excluded"] = sorted(_texts(targets.excluded))
    if targets.strata is not None:
        index = map(str, targets.strata.index)
        more["strata"] = sorted(zip(index, map(_text, targets.strata), strict=True))
    return {"rows": rows, "all": digest([more, {key: sorted(own) for key, own in by_key.items()}])}


def _rows(targets: Targets) -> dict[str, list[str]]:
    """Return each row of the targets as text, by the id that it belongs to."""
    table = targets.table
    if targets.unit == "event":
        keys = table["recording_id"].astype(str).tolist()
    elif targets.unit == "sample":  # samples are called after their recording
        keys = [str(item).rpartition("#")[0] or str(item) for item in table.index]
        table = table.assign(**{"": table.index})
    else:
        keys = [str(item) for item in table.index]
    found: dict[str, list[str]] = {}
    for key, text in zip(keys, _texts(table), strict=True):
        found.setdefault(key, []).append(text)
    return found


def _recordings(data: ProtocolData, labels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    cohort, files = data.prepared.cohort, data.prepared.digests
    table = cohort.samples.table
    plain = table[[name for name in table.columns if not _names_files(table[name])]]
    return {
        str(name): {
            "patient": str(patient),
            "content": digest(files.all_files[name]),
            "own": list(files.own_files[name]),
            "about": _of([text]),
            "labels": labels[str(name)],
        }
        for name, patient, text in zip(table.index, table["patient_id"], _texts(plain), strict=True)
    }


def _columns(cohort: Cohort, named: Collection[str | None]) -> dict[str, str]:
    """Return a digest a column; one of the cohort's own that nobody asked for has no name."""
    table = cohort.table
    if table is None:
        return {}
    order = np.argsort(table.index.astype(str), kind="stable")
    rows = table.iloc[order]
    index = [str(item) for item in rows.index]
    return {
        _stored_name(str(name), named): _of(
            f"{key}\0{text}" for key, text in zip(index, map(_text, column), strict=True)
        )
        for name, column in rows.items()
        if not _names_files(column)
    }


def _stored_name(name: str, named: Collection[str | None]) -> str:
    if name in named:
        return name
    return f"{UNNAMED}{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _names_files(column: pd.Series) -> bool:
    """Whether a column holds places of files: a cohort may lie in another folder tomorrow."""
    if column.dtype != object:
        return False
    return any(isinstance(item, Path | tuple) for item in column)


def _texts(table: pd.DataFrame) -> list[str]:
    columns = [list(map(_text, table[name])) for name in table.columns]
    return ["\0".join(row) for row in zip(*columns, strict=True)] if columns else [""] * len(table)


def _text(value: Any) -> str:
    """Return a cell so that 1, 1.0 and a flag that became a number beside NA are the same."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_ | int | float | np.number):
        number = float(value)
        return "" if number != number else f"{number:.17g}"
    return str(value)


def _of(texts: Any) -> str:
    """Return a short digest of texts, whatever their order."""
    joined = "\n".join(sorted(texts))
    return hashlib.sha256(joined.encode()).hexdigest()[:_SHORT]


_SHOWN = 4
_CHANGED = "give what it was made from (--data), or repeat it all the same with --allow changes"


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
    found = differences(manifest["stands_on"], now)
    if stops := [item.words for item in found if not item.tolerated]:
        raise NotTheSameError(
            f"--out {out}: was begun with other code, packages or device ({_listed(stops)}); put "
            "that back, or start anew with another --out"
        )
    if manifest["config_digest"] != identity:
        ground = [item.words for item in settings_in(out, manifest, setup, seed)]
        raise NotTheSameError(
            f"--out {out}: was begun with another configuration, task or seed"
            f"{f' ({_listed(ground)})' if ground else ''}; repeat its command (manifest.json) with "
            "--resume, or start anew with another --out"
        )
    return [item.words for item in found]


def settings_in(
    run: Path, manifest: Mapping[str, Any], setup: Setup, seed: int
) -> list[Difference]:
    """Return the settings in which a run directory and what is asked for now differ."""
    file = run / "config.yaml"
    if not file.is_file():
        return []
    stored = stored_settings(run)
    then = {name: manifest[name] for name in ("plugin", "task", "protocols", "seed")}
    now = {
        "plugin": setup.plugin.info.name,
        "task": setup.task.name,
        "protocols": list(setup.protocols),
        "seed": seed,
    }
    return settings_differ(then | stored, now | setup.config.model_dump(mode="json"))


def guard_data(out: Path, begun: Mapping[str, Any], contents: Contents, splits: str) -> None:
    """Check that a run goes on with the recordings, labels and folds that it was begun with.

    Parameters
    ----------
    out : Path
        The run directory.
    begun : mapping
        Its manifest.
    contents : Contents
        What was read now.
    splits : str
        Digest of the folds.

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    if found := _data_in(out, begun, contents, splits):
        raise NotTheSameError(
            f"--out {out}: the data changed since this run began ({_listed(found)}); put them "
            "back, or start anew with another --out"
        )


def guard_repeated(run: Path, contents: Contents, splits: str) -> None:
    """Check that a finished run is repeated on the data that it was made from.

    Raises
    ------
    NotTheSameError
        In one line that names what differs.
    """
    manifest = Manifest.open(run).content
    if found := _data_in(run, manifest, contents, splits):
        raise NotTheSameError(
            f"{run}: the data are not those of then ({_listed(found)}); {_CHANGED}"
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
        words = _listed([item.words for item in found])
        raise NotTheSameError(f"{run}: the settings are not those of then ({words}); {_CHANGED}")


def _data_in(run: Path, begun: Mapping[str, Any], contents: Contents, splits: str) -> list[str]:
    then = begun["stands_on"]
    if "recordings" not in then:  # begun, and nothing was loaded yet
        return []
    now = contents.summed() | {"splits": splits}
    return [item.words for item in data_differ(then, now, stored_contents(run), contents.to_dict())]


def stored_contents(run: Path) -> dict[str, Any]:
    """Return what a run keeps of its recordings."""
    return dict(CONTENTS.read(run / FILE))


def tolerated_note(words: Sequence[str]) -> list[str]:
    """Return the note that a run keeps of what was tolerated when it was gone on with."""
    if not words:
        return []
    return [f"Gone on with although {', '.join(words)}: numbers may differ in their last digits."]


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _SHOWN
    return "; ".join(words[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
