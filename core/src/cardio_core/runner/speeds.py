"""What runs on this machine took, kept in the cache, so that a dry run can say what is to come."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError
from cardio_core.io.atomic import read_json, write_json
from cardio_core.io.hashing import digest
from cardio_core.runner.manifest import now
from cardio_core.runner.setup import Setup

_DECIDES = ("preprocess", "featurize", "train", "search", "inner", "evaluate", "explain")


@dataclass(frozen=True)
class Speeds:
    """One finished run: median seconds of a fit by ``"model protocol"``, and of the evaluation.

    `n_workers` fits ran at a time, on `n_patients`; the run directory has `n_bytes`.
    """

    fits: Mapping[str, float]
    evaluation_s: float
    n_patients: int
    n_workers: int
    n_bytes: int
    finished: str

    def seconds(self, n_fits: Mapping[str, int], n_patients: int) -> float | None:
        """Return what fits and evaluation should take; None where a fit was never timed."""
        if set(n_fits) - set(self.fits):
            return None
        one_by_one = sum(n * self.fits[what] for what, n in n_fits.items())
        larger = n_patients / max(1, self.n_patients)
        return larger * one_by_one / max(1, self.n_workers) + self.evaluation_s


def keep_speeds(setup: Setup, cache: Path, speeds: Speeds) -> None:
    """Keep what a run took, in place of what the last one with its settings did."""
    with suppress(OSError):
        write_json(_file(setup, cache), vars(speeds))


def known_speeds(setup: Setup, cache: Path) -> Speeds | None:
    """Return what the last run with these settings took on this machine, None without one."""
    try:
        return Speeds(**read_json(_file(setup, cache)))
    except (OSError, DataError, TypeError):
        return None


def speeds_of(
    timed: Mapping[str, float], manifest: Mapping[str, Any], n_workers: int, out: Path
) -> Speeds:
    """Return the speeds of a finished run."""
    return Speeds(
        fits=dict(timed),
        evaluation_s=manifest["stages"]["evaluation"],
        n_patients=manifest["data"]["n_patients"],
        n_workers=n_workers,
        n_bytes=sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
        finished=now(),
    )


def _file(setup: Setup, cache: Path) -> Path:
    settings = {
        protocol: setup.config.for_protocol(protocol).model_dump(mode="json", include=set(_DECIDES))
        for protocol in setup.protocols
    }
    info, device = setup.plugin.info, setup.devices[0]
    key = digest([info.name, setup.task.name, settings, device.name, device.precision])
    return cache / "speeds" / f"{info.name}-{setup.task.name}-{key[:16]}.json"
