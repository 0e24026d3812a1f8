"""How a network is trained: the numbers that a configuration file gives."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FitPlan(BaseModel):
    """How a network is trained; the loss and the score belong to the plugin.

    Examples
    --------
    >>> FitPlan(epochs=10, batch_size=32, accumulate=2).effective_batch
    64
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(30, ge=1, description="Most passes over the training set.")
    batch_size: int = Field(64, ge=1, description="Examples that are in memory at once.")
    accumulate: int = Field(
        1, ge=1, description="Batches whose gradients are averaged before the weights change."
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        description="Peak learning rate; a parameter group with its own rate goes by that.",
    )
    weight_decay: float = Field(
        0.0, ge=0, description="L2 penalty (adam, sgd) or decoupled decay (adamw)."
    )
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        "adam", description="how weights are moved; sgd has Nesterov momentum 0.9"
    )
    schedule: Literal["none", "cosine", "onecycle"] = Field(
        "none",
        description="Course of the learning rate, laid out over `epochs` even where a fit stops "
        "earlier: an epoch sees the same rate in the inner folds and in the refit.",
    )
    warmup_epochs: float = Field(
        0.0,
        ge=0,
        description="Epochs of linear warm-up from near zero; onecycle has its own and wants 0.",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="Epochs without a better validation score before stopping; null never stops.",
    )
    draw: int | None = Field(
        None,
        ge=1,
        description="Examples drawn with replacement each epoch, with the sampling weights that "
        "the plugin gives (equal without); null takes every example once, shuffled, unweighted.",
    )
    gradient_clip: float | None = Field(
        None, gt=0, description="Largest norm of the gradient; null does not clip."
    )
    ema_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decay per step of an exponential moving average of the weights, which is then "
        "what is validated and kept (0.99 averages about 100 steps); null keeps the raw weights.",
    )
    channels_last: bool = Field(
        False, description="Memory layout that convolutions on GPUs with tensor cores prefer."
    )
    compile: bool = Field(
        False,
        description="torch.compile the network; costs a minute, and needs a C++ compiler or on a "
        "GPU Triton: without them the network is trained as it is, and that is noted.",
    )
    n_workers: int = Field(
        0, ge=0, description="Processes that make batches; the numbers do not depend on it."
    )

    @model_validator(mode="after")
    def _single_warmup(self) -> Self:
        if self.schedule == "onecycle" and self.warmup_epochs:
            raise ValueError("schedule onecycle warms up by itself: set warmup_epochs to 0")
        return self

    @property
    def effective_batch(self) -> int:
        """Examples behind each change of the weights."""
        return self.batch_size * self.accumulate
