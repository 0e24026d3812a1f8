"""What happens at the end of each epoch: history, best weights, stopping, progress."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from lightning.pytorch import Callback, LightningModule, Trainer

from cardio_core.errors import CardioError
from cardio_core.io.atomic import replacing
from cardio_core.training.module import TrainingModule
from cardio_core.training.track.tracking import Tracker
from cardio_core.types.weights_file import save_weights

COLUMNS = ("epoch", "seconds", "train_loss", "val_loss", "val_score", "lr")


class Progress(Protocol):
    """What is told about training after each epoch."""

    def __call__(
        self,
        epoch: int,
        n_epochs: int,
        train_loss: float,
        val_score: float | None,
        seconds_left: float,
    ) -> object:
        """Receive the epoch (from 1) and what is left if no early stop comes."""
        ...


@dataclass(frozen=True)
class Kept:
    """What is left of a training that ran to its end.

    `weights` is the file of the epoch that is kept, `best_epoch`; 0 where no epoch had a score.
    """

    weights: Path
    history: list[dict[str, Any]]
    best_epoch: int
    best_score: float | None


class EpochKeeper(Callback):
    """Keeps the history, and the weights of the best epoch, or of the last where none is chosen.

    Lightning's own checkpoints are pickles, so the weights are written here.

    `out` is the folder of ``weights.safetensors`` and ``history.csv``; training stops after
    `patience` epochs without a better score; `progress` and `tracker` are told after each epoch.
    """

    def __init__(
        self,
        out: Path,
        n_epochs: int,
        patience: int | None,
        chooses: bool,
        progress: Progress | None,
        tracker: Tracker | None = None,
    ) -> None:
        self.weights = out / "weights.safetensors"
        self._history_file = out / "history.csv"
        self._n_epochs, self._patience, self._chooses = n_epochs, patience, chooses
        self._progress, self._tracker = progress, tracker
        self.history: list[dict[str, Any]] = []
        self.best_epoch = 0
        self.best_score: float | None = None
        self._started = 0.0
        self._rate = 0.0

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Note the time and the learning rate."""
        self._started = time.perf_counter()
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Write history and weights, stop if patience is over, report progress."""
        fit = cast("TrainingModule", module)
        epoch = trainer.current_epoch + 1
        fit.close_epoch()
        train_loss = fit.train_loss
        if not math.isfinite(train_loss):
            raise CardioError(
                f"training: expected a finite loss, found {train_loss} in epoch {epoch}; "
                "lower learning_rate, set gradient_clip, or use --precision 32"
            )
        seconds = time.perf_counter() - self._started
        values = (epoch, seconds, train_loss, fit.val_loss, fit.val_score, self._rate)
        self.history.append(dict(zip(COLUMNS, values, strict=True)))
        self._write_history()
        if self._tracker is not None:
            self._tracker.log(epoch, {name: self.history[-1][name] for name in COLUMNS[1:]})
        if self._improved(fit.val_score):
            self.best_epoch, self.best_score = epoch, fit.val_score
            self._save(fit)
        elif self._patience is not None and epoch - self.best_epoch >= self._patience:
            trainer.should_stop = True
        if self._progress is not None:
            mean = sum(row["seconds"] for row in self.history) / epoch
            left = 0.0 if trainer.should_stop else mean * (self._n_epochs - epoch)
            self._progress(epoch, self._n_epochs, train_loss, fit.val_score, left)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Keep the last weights where validation does not choose."""
        if not self._chooses:
            self.best_epoch = len(self.history)
            self._save(cast("TrainingModule", module))

    def kept(self) -> Kept:
        """Return what is left once training has ended."""
        return Kept(self.weights, self.history, self.best_epoch, self.best_score)

    def _save(self, fit: TrainingModule) -> None:
        save_weights(fit.result, self.weights)

    def _improved(self, score: float | None) -> bool:
        # A score that is not a number (AUC of one class, say) is no improvement.
        if not self._chooses or score is None or math.isnan(score):
            return False
        return self.best_score is None or score > self.best_score

    def _write_history(self) -> None:
        with (
            replacing(self._history_file) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.history)
