"""The rhythm of a recording, the evidence for it, and "not sure" as an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RhythmKind(StrEnum):
    """What drives the ventricles."""

    SINUS = "sinus"
    FIBRILLATION = "atrial fibrillation"
    FLUTTER = "atrial flutter"
    PACED = "paced"
    NO_P = "irregular, no P wave"
    UNSURE = "not sure"


@dataclass(frozen=True)
class Rhythm:
    """A rhythm statement with what it rests on.

    Attributes
    ----------
    kind : RhythmKind
        The answer. Flutter stands for atrial tachycardia, too: for atrial waves of one shape, at
        one cycle, more often than the QRS.
    evidence : tuple of str
        What it rests on, the weightiest first, in words.
    rr_scatter : float
        Median change from one RR interval to the next over the median RR interval.
    p_share : float
        Of the beats that show one and the same P wave; 0 where no P wave was found.
    atrial_rate_bpm : float
        Of atrial activity that comes more often than the QRS; NaN where there is none.
    waves_a_beat : float
        Such atrial waves to one QRS, 2.0 to 4.0 where it is fixed; NaN where there are none.
    """

    kind: RhythmKind = RhythmKind.UNSURE
    evidence: tuple[str, ...] = ()
    rr_scatter: float = float("nan")
    p_share: float = 0.0
    atrial_rate_bpm: float = float("nan")
    waves_a_beat: float = float("nan")

    @property
    def text(self) -> str:
        """The statement and its evidence, as a sheet shows it.

        Examples
        --------
        >>> Rhythm(RhythmKind.FLUTTER, ("atrial waves at 278/min", "2 to a QRS")).text
        'atrial flutter: atrial waves at 278/min, 2 to a QRS'
        """
        return ": ".join(filter(None, (self.kind.value, ", ".join(self.evidence))))
