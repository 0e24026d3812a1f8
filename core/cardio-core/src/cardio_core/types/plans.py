"""Split plans: who is trained on and who is tested, as a task declares it.

A plan that lets a patient stand on both sides must carry the reason in `overlap`; only the
`paper` protocol may use such a plan, and the reason is printed with every number it makes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Nested:
    """Grouped, stratified k-fold cross-validation, repeated; the inner folds belong to the core."""

    k: int = 5
    repeats: int = 1
    overlap: None = None


@dataclass(frozen=True)
class Holdout:
    """One grouped, stratified split: a share of the patients is tested once."""

    test_share: float = 0.2
    overlap: None = None


@dataclass(frozen=True)
class Sites:
    """Leave one site out: every `site_id` of the cohort is tested once by models of the others.

    A person with studies at several sites belongs to the first of them.
    """

    overlap: None = None


@dataclass(frozen=True)
class Fixed:
    """Named lists of patients, as a published benchmark prints them.

    Patients on neither list are left out of the protocol.

    Attributes
    ----------
    train, test : tuple of str
        Ids of patients, as the cohort has them.
    overlap : str or None
        The reason, where one person stands on both lists under two ids; None where nobody does.

    Examples
    --------
    >>> Fixed(train=("101", "106"), test=("100", "103")).overlap is None
    True
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    overlap: str | None = None


@dataclass(frozen=True)
class RandomSamples:
    """A random split of samples (beats, clips): patients stand on both sides, so it is declared.

    Attributes
    ----------
    overlap : str
        Why patients stand on both sides; printed with every number that the plan makes.
    test_share : float
        Share of the samples that is tested, between 0 and 1; without a say where `k` is 2 or more.
    k : int
        With 2 or more every sample is tested once, in one of k parts. A patient is then tested in
        several parts; his scores are averaged, as over repeats.

    Examples
    --------
    >>> RandomSamples("the paper split beats, not patients").test_share
    0.2
    """

    overlap: str
    test_share: float = 0.2
    k: int = 1


@dataclass(frozen=True)
class Resubstitution:
    """Everybody is trained on and everybody is tested: the apparent performance.

    Attributes
    ----------
    overlap : str
        Why it is done; printed with every number that the plan makes.

    Examples
    --------
    >>> Resubstitution("the paper reports what it was fitted on").overlap
    'the paper reports what it was fitted on'
    """

    overlap: str


Plan = Nested | Holdout | Sites | Fixed | RandomSamples | Resubstitution
