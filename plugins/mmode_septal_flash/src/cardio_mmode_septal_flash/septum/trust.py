"""How far a septum line that was found is to be trusted: one number that every doubt lowers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

SURE = 0.5
"""Below this confidence nothing is measured on a line that was found."""

_ALL_BUT_ONE = 0.99
_WORDS = {
    "picture": "how it stands out",
    "side": "side of the left ventricle",
    "wall": "walls around it",
    "view": "view",
    "motion": "motion",
}


@dataclass(frozen=True)
class Trust:
    """What speaks for a line, each from 0 to 1.

    Attributes
    ----------
    picture : float
        How it stands out, by `find_septum`.
    side : float
        Whether the signs of the left ventricle's side agree.
    wall : float
        Whether ventricles lie on both sides of it.
    view : float
        Whether the loop looks like an apical four-chamber view.
    motion : float
        Whether what was followed on it moves as one wall does.

    Examples
    --------
    >>> Trust(1.0).confidence, Trust(1.0, view=0.999).confidence
    (1.0, 0.99)
    >>> one = Trust(0.9, side=0.85, view=0.3)
    >>> round(one.confidence, 2), round(one.without("view"), 2), one.lowered_by
    (0.23, 0.77, ('how it stands out', 'side of the left ventricle', 'view'))
    """

    picture: float
    side: float = 1.0
    wall: float = 1.0
    view: float = 1.0
    motion: float = 1.0

    @property
    def confidence(self) -> float:
        """The product; 1 only where each of them is."""
        return self.without()

    def without(self, *names: str) -> float:
        """Return the product of the others: a person who states the view answers for it."""
        parts = self._parts(names)
        product = 1.0
        for part in parts.values():
            product *= part
        return product if min(parts.values()) >= 1.0 else min(product, _ALL_BUT_ONE)

    @property
    def lowered_by(self) -> tuple[str, ...]:
        """What lowers it, in words."""
        return tuple(_WORDS[name] for name, part in self._parts(()).items() if part < 1.0)

    def _parts(self, left_out: Collection[str]) -> dict[str, float]:
        names = (one.name for one in fields(self))
        return {name: float(getattr(self, name)) for name in names if name not in left_out}
