"""The rows of the comparison: what each one is, and what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["network", "deep_features", "median_beat", "measurements", "rule"]


@dataclass(frozen=True)
class Row:
    """How one row is fitted.

    Attributes
    ----------
    kind : str
        ``network`` is fine-tuned; ``deep_features`` takes the pretrained encoder as it is;
        ``median_beat`` and ``measurements`` are fitted on what their names say; a ``rule`` is
        published and not fitted at all.
    estimator : str
        The classifier after features that are not learnt with it.
    pretrained : bool
        Whether it starts from the earlier task.
    depth : int or None
        Of the network; None is `train.depth`.
    columns : tuple of str
        The measurements that it uses.
    """

    kind: Kind
    estimator: Literal["logistic", "svm", "forest", ""] = ""
    pretrained: bool = False
    depth: Literal[18, 50, 101] | None = None
    columns: tuple[str, ...] = ()

    @property
    def earlier_row(self) -> str:
        """The row of `aami_beats` whose encoder this one starts from."""
        return "resnet" if self.depth is None else f"resnet_{self.depth}"


ROWS = {
    "pretrained": Row("network", pretrained=True),
    "scratch": Row("network"),
    "pretrained_50": Row("network", pretrained=True, depth=50),
    "scratch_50": Row("network", depth=50),
    "pretrained_101": Row("network", pretrained=True, depth=101),
    "scratch_101": Row("network", depth=101),
    "deep_logistic": Row("deep_features", "logistic", pretrained=True),
    "deep_svm": Row("deep_features", "svm", pretrained=True),
    "deep_forest": Row("deep_features", "forest", pretrained=True),
    "svm": Row("median_beat", "svm"),
    "forest": Row("median_beat", "forest"),
    "qrs_duration": Row("measurements", "logistic", columns=("qrs_ms",)),
    "lbbb": Row("rule", columns=("lbbb",)),
    "guideline": Row("rule", columns=("lbbb", "qrs_ms")),
    "qrs_lbbb": Row("measurements", "logistic", columns=("qrs_ms", "lbbb")),
    "qrs_area": Row("measurements", "logistic", columns=("qrs_area_uvs",)),
}
"""By the name under which the task declares them."""

NEEDS_LBBB = tuple(name for name, row in ROWS.items() if "lbbb" in row.columns)
