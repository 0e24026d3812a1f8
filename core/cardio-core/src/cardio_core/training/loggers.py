"""Watching a training from outside, in TensorBoard or MLflow: its curves, and nothing of a patient.

A tracker that breaks is noted and left alone; the training goes on.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from cardio_core.compute.resource_errors import install_extra
from cardio_stats.errors import ConfigError

Kind = Literal["tensorboard", "mlflow"]
KINDS = get_args(Kind)
FORM = "tensorboard:DIR or mlflow:URI"
_TRIES = 2


@dataclass(frozen=True)
class Tracking:
    """Where the curves of training go, and under which name.

    Attributes
    ----------
    kind : {"tensorboard", "mlflow"}
    place : str
        A folder, or MLflow's tracking URI.
    run : str
        Name of the run: the first part of each fit's name.
    fit : str
        Name of the fit: task, model, protocol and fold.
    """

    kind: Kind
    place: str
    run: str = "run"
    fit: str = ""

    @classmethod
    def parse(cls, text: str, run: str = "run") -> Tracking:
        """Read what ``--track`` was given.

        Raises
        ------
        ConfigError
            If it is no such thing, or the package is not installed.

        Examples
        --------
        >>> Tracking.parse("tensorboard:curves").kind
        'tensorboard'
        """
        kind, _, place = text.partition(":")
        if kind not in KINDS or not place:
            raise ConfigError(f"--track {text}: expected {FORM}")
        if find_spec(kind) is None:
            raise ConfigError(
                f"--track {kind}: needs the package {kind}, which is not installed; "
                f"{install_extra(kind)}"
            )
        if kind == "tensorboard":
            return cls("tensorboard", str(Path(place).resolve()), run)
        return cls("mlflow", place, run)

    def of_fit(self, *parts: str | None) -> Tracking:
        """Return this with the name of a fit.

        Examples
        --------
        >>> Tracking("mlflow", "file:x").of_fit("beats", None, "network", "r0-f1").fit
        'beats-network-r0-f1'
        """
        return replace(self, fit="-".join(part for part in parts if part))


class Tracker:
    """One fit's logger of Lightning; what it raises is noted once, and it is left alone then."""

    def __init__(self, tracking: Tracking, note: Callable[[str], object]) -> None:
        self._tracking, self._note = tracking, note
        self._logger: Any = None
        self._works = True

    def log(self, epoch: int, values: Mapping[str, float | None]) -> None:
        """Add the numbers of an epoch; those that are None are left out."""
        known = {name: float(value) for name, value in values.items() if value is not None}
        self._do(lambda: self._opened().log_metrics(known, step=epoch))

    def close(self, *, done: bool) -> None:
        """Say how the fit ended."""
        if self._logger is not None:
            self._do(lambda: self._logger.finalize("success" if done else "failed"))
            self._logger = None  # what starts again, with a halved batch, is another fit

    def _opened(self) -> Any:
        if self._logger is None:
            self._logger = _open(self._tracking)
        return self._logger

    def _do(self, call: Callable[[], object]) -> None:
        if not self._works:
            return
        try:
            with silenced("mlflow", "alembic", "lightning.pytorch", "tensorboard"):
                warnings.simplefilter("ignore")
                call()
        except Exception as error:  # a stranger's package, and a stranger's server
            self._works = False
            self._note(
                f"{self._tracking.kind} broke ({type(error).__name__}): the curves of this fit are "
                "not tracked; the training is as without"
            )


def _open(tracking: Tracking) -> Any:
    """Return Lightning's logger of a fit."""
    if tracking.kind == "tensorboard":
        from lightning.pytorch.loggers import TensorBoardLogger

        return TensorBoardLogger(tracking.place, name=f"{tracking.run}/{tracking.fit}")
    from lightning.pytorch.loggers import MLFlowLogger

    for tries_left in range(_TRIES, 0, -1):
        try:
            logger = MLFlowLogger(
                tracking.run,
                tracking.fit,
                tracking_uri=tracking.place,
                # Else MLflow writes down the script's path and who is logged in.
                tags={"mlflow.source.name": "cardio", "mlflow.user": "", "mlflow.source.type": ""},
            )
            _ = logger.run_id
            return logger
        except Exception:  # another process may just have made the experiment
            if tries_left == 1:
                raise
    raise AssertionError  # pragma: no cover


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Let loggers of others report errors alone, and put warning filters back afterwards."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
