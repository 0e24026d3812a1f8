"""Fingerprints of signals: the same for a copy, others for another person, and no signal inside."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.runner.fingerprints import N_BITS, fingerprint, known_again, print_of


def signal(seed: int, n: int = 5000) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n).cumsum()


def of(values: np.ndarray) -> str:
    return fingerprint(print_of(values))


@pytest.mark.parametrize(
    "copy",
    [lambda x: x, lambda x: np.round(x, 2), lambda x: 3 * x + 7, lambda x: x.astype("float32")],
    ids=["itself", "fewer digits", "another gain and offset", "another type"],
)
def test_a_copy_is_known_again(copy) -> None:
    known = [of(signal(seed)) for seed in range(30)]
    assert known_again({"new": of(copy(signal(3)))}, known) == {"new"}


def test_others_are_not() -> None:
    known = [of(signal(seed)) for seed in range(30)]
    new = {str(seed): of(signal(seed)) for seed in range(30, 60)}
    assert known_again(new, known) == set()


def test_signals_that_correlate_by_99_in_100_are_two() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, noise = rng.normal(size=(2, 4096))
        near = 0.99 * one + np.sqrt(1 - 0.99**2) * noise
        assert not known_again({"near": of(near)}, [of(one)])
        same = 0.9999 * one + np.sqrt(1 - 0.9999**2) * noise
        assert known_again({"same": of(same)}, [of(one)])


def test_a_recording_of_another_length_is_compared_with_none() -> None:
    known = [of(signal(1, 500))]
    assert known_again({"short": of(signal(1, 400))}, known) == set()


def test_what_holds_no_signal_has_none_and_is_nobody() -> None:
    assert print_of({"rate_hz": 25.0}) is None
    assert print_of(np.zeros(900)) is None
    assert known_again({"a": ""}, ["", of(signal(1))]) == set()


def test_it_is_short_and_stays_the_same_for_ever() -> None:
    found = of(np.sin(np.arange(5000) / 7.0))
    length, _, bits = found.partition(":")
    assert (length, len(bits)) == ("4096", N_BITS // 4)
    # printed once; runs of years hence must be known again by runs of today
    assert bits[:32] == "a956ace79ff3068a4f089ad181d2d74f"
