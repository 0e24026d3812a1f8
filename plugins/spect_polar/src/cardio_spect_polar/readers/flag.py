"""What the report says of a study's quality, and what that does to its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Consequence = Literal["none", "caution", "no verdict"]
"""Nothing to fear for the numbers; numbers to be read with care; numbers that are withheld."""

Numbers = Literal["phase", "volumes"]
"""What can be withheld: phases and all that is made of them; volumes and ejection fraction."""

BOTH: tuple[Numbers, ...] = ("phase", "volumes")
_SEPARATOR = "; "


class Flag(str):
    """A sentence about a study, which knows what it does to the study's numbers.

    It is text like any other, so that whatever takes sentences takes flags.

    Parameters
    ----------
    sentence : str
        What was found and what it does to the numbers, in the words of the clinic; no "; " in
        it, which parts flags from each other.
    consequence : {"none", "caution", "no verdict"}
        With ``no verdict`` the numbers of `of` are withheld.
    of : tuple of {"phase", "volumes"}
        Which numbers it concerns.

    Examples
    --------
    >>> flag = Flag("the beats are unknown")
    >>> flag, flag.consequence
    ('the beats are unknown', 'none')
    """

    consequence: Consequence
    of: tuple[Numbers, ...]

    def __new__(
        cls, sentence: str, consequence: Consequence = "none", of: tuple[Numbers, ...] = BOTH
    ) -> Flag:
        """Make a flag of a sentence."""
        if _SEPARATOR in sentence:
            raise ValueError(f"a flag is one sentence without {_SEPARATOR!r}: {sentence}")
        made = super().__new__(cls, sentence)
        made.consequence = consequence
        made.of = of
        return made

    @property
    def told(self) -> str:
        """The sentence as tables hold it, with its consequence before it where it has one.

        Examples
        --------
        >>> Flag("counts jump", "caution").told
        'caution: counts jump'
        >>> Flag("EF 91 %", "no verdict", of=("volumes",)).told
        'no volumes: EF 91 %'
        """
        if self.consequence == "no verdict":
            return f"no volumes: {self}"
        return f"caution: {self}" if self.consequence == "caution" else str(self)

    @property
    def ends_verdict(self) -> bool:
        """Whether the phases are withheld because of it, and so every verdict on the study."""
        return self.consequence == "no verdict" and "phase" in self.of


def told(flags: Iterable[str]) -> str:
    """Return flags as a table holds them: the gravest first, each once, joined by "; ".

    Those that end the verdict stand in a column of their own: see `no_verdict`.

    Examples
    --------
    >>> told([Flag("beats unknown"), Flag("counts jump", "caution"), "beats unknown"])
    'caution: counts jump; beats unknown'
    """
    order: tuple[Consequence, ...] = ("no verdict", "caution", "none")
    kept = (one for one in flags if not (isinstance(one, Flag) and one.ends_verdict))
    ranked = sorted(kept, key=lambda flag: order.index(_consequence(flag)))
    texts = (flag.told if isinstance(flag, Flag) else flag for flag in ranked)
    return _SEPARATOR.join(dict.fromkeys(texts))


def no_verdict(flags: Iterable[str]) -> str:
    """Return why there is no verdict as a table holds it, each reason once, joined by "; ".

    Examples
    --------
    >>> no_verdict([Flag("counts jump", "no verdict"), "beats unknown"])
    'counts jump'
    """
    reasons = (str(one) for one in flags if isinstance(one, Flag) and one.ends_verdict)
    return _SEPARATOR.join(dict.fromkeys(reasons))


def withheld(flags: Iterable[str]) -> dict[Numbers, str]:
    """Return which numbers are withheld, each with the sentences that say why.

    Examples
    --------
    >>> withheld([Flag("gates are out of order", "no verdict"), "beats unknown"])
    {'phase': 'gates are out of order', 'volumes': 'gates are out of order'}
    """
    reasons: dict[Numbers, list[str]] = {}
    for flag in flags:
        if isinstance(flag, Flag) and flag.consequence == "no verdict":
            for numbers in flag.of:
                reasons.setdefault(numbers, []).append(str(flag))
    return {numbers: " and ".join(dict.fromkeys(why)) for numbers, why in reasons.items()}


def _consequence(flag: str) -> Consequence:
    return flag.consequence if isinstance(flag, Flag) else "none"
