"""Published normal limits of phase analysis, as a reference beside a measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_ECTB = "ECTb"
_CHEN = "Chen 2005"


@dataclass(frozen=True)
class NormalLimit:
    """What one index was in normal people, by the software and in the definition of one source.

    Attributes
    ----------
    index : str
        The column of block ``indices`` that is defined alike.
    title : str
        What it is called.
    unit : str
        ``"°"``, or empty.
    people : {"men", "women"}
    mean, sd : float
    side : {"upper", "lower", "both"}
        On which side of the mean, two SD away, normal ends.
    software, source : str
    """

    index: str
    title: str
    unit: str
    people: Literal["men", "women"]
    mean: float
    sd: float
    side: Literal["upper", "lower", "both"]
    software: str = _ECTB
    source: str = _CHEN

    @property
    def name(self) -> str:
        """The index and whose limit it is."""
        return f"{self.index}_{self.people}"

    @property
    def low(self) -> float:
        """The lower limit; minus infinity where there is none."""
        return -math.inf if self.side == "upper" else self.mean - 2 * self.sd

    @property
    def high(self) -> float:
        """The upper limit; infinity where there is none."""
        return math.inf if self.side == "lower" else self.mean + 2 * self.sd

    def holds(self, value: float) -> bool:
        """Return whether a value lies within the limits, the limits themselves included."""
        return self.low <= value <= self.high

    @property
    def within(self) -> str:
        """What is asked of a measurement, in words.

        Examples
        --------
        >>> LIMITS[0].within
        'Phase SD within the limit of normal men by ECTb, mean + 2 SD 24.4°'
        """
        digits = 1 if self.unit else 2
        ends = {
            "upper": f"mean + 2 SD {self.high:.{digits}f}{self.unit}",
            "lower": f"mean - 2 SD {self.low:.{digits}f}{self.unit}",
            "both": f"mean ± 2 SD {self.low:.{digits}f} to {self.high:.{digits}f}{self.unit}",
        }[self.side]
        limit = "limits" if self.side == "both" else "limit"
        return f"{self.title} within the {limit} of normal {self.people} by {self.software}, {ends}"


LIMITS = (
    NormalLimit("psd_deg", "Phase SD", "°", "men", 14.2, 5.1, "upper"),
    NormalLimit("psd_deg", "Phase SD", "°", "women", 11.8, 5.2, "upper"),
    NormalLimit("pbw_deg", "Phase bandwidth", "°", "men", 38.7, 11.8, "upper"),
    NormalLimit("pbw_deg", "Phase bandwidth", "°", "women", 30.6, 9.6, "upper"),
    NormalLimit("skewness_of_bins", "Histogram skewness", "", "men", 4.19, 0.68, "lower"),
    NormalLimit("skewness_of_bins", "Histogram skewness", "", "women", 4.60, 0.72, "lower"),
    NormalLimit("kurtosis_of_bins", "Histogram kurtosis", "", "men", 19.72, 7.68, "lower"),
    NormalLimit("kurtosis_of_bins", "Histogram kurtosis", "", "women", 23.21, 8.16, "lower"),
    NormalLimit("peak_deg", "Peak phase", "°", "men", 134.5, 14.3, "both"),
    NormalLimit("peak_deg", "Peak phase", "°", "women", 140.2, 14.9, "both"),
)
"""Chen et al., J Nucl Cardiol 2005;12:687, as J Nucl Cardiol 2018;25 (s12350-017-0863-6) quotes
them. Skewness and kurtosis are of the heights of the histogram's bins: at a phase SD of 14 degrees
phases cannot be so skew, a peaked histogram's heights are. Other software has other limits: of 69
normal people (Nakajima et al., J Nucl Cardiol 2017;24:611) phase SD was 11.5 ± 5.5 by Emory Cardiac
Toolbox, 10.3 ± 3.2 by cardioREPO, 5.4 ± 2.5 by Heart Function View and 5.3 ± 3.3 by QGS."""


def within_limits(
    indices: Mapping[str, float], male: float, *, of_peak: bool = True
) -> dict[str, float]:
    """Return by the name of each limit whether the measurement lies within it.

    Parameters
    ----------
    indices : mapping of str to float
        Columns of block ``indices``.
    male : float
        1 for a man, 0 for a woman; NaN compares with both.
    of_peak : bool
        Whether phases are of the largest thickening, as the source's; else the peak phase is
        compared with nothing.

    Returns
    -------
    dict of str to float
        1 within, 0 beyond, NaN where there is nothing to compare.

    Examples
    --------
    >>> found = within_limits({"psd_deg": 23.0, "pbw_deg": 70.0}, male=1.0)
    >>> found["psd_deg_men"], found["pbw_deg_men"], found["psd_deg_women"]
    (1.0, 0.0, nan)
    """
    found = {}
    for limit in LIMITS:
        value = indices.get(limit.index, math.nan)
        theirs = math.isnan(male) or limit.people == ("men" if male > 0.5 else "women")
        applies = theirs and (of_peak or limit.index != "peak_deg") and math.isfinite(value)
        found[limit.name] = float(limit.holds(value)) if applies else math.nan
    return found
