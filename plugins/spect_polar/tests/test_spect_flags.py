"""Flags: text that knows what it does to the numbers."""

from __future__ import annotations

from copy import deepcopy

import pytest

from cardio_spect_polar.readers.gated import Flag, flags_text, no_verdict, withheld

GATES = Flag("gates are out of order", "no verdict")
EMPTY = Flag("the ejection fraction cannot be", "no verdict", of=("volumes",))
JUMP = Flag("counts jump", "caution", of=("phase",))


def test_the_gravest_is_told_first_and_each_once() -> None:
    flags = ["six slots", JUMP, GATES, JUMP, EMPTY]
    assert flags_text(flags) == (
        "no volumes: the ejection fraction cannot be; caution: counts jump; six slots"
    )
    assert no_verdict(flags) == "gates are out of order"


def test_only_what_has_no_verdict_is_withheld_with_its_reasons() -> None:
    assert withheld([JUMP, "six slots"]) == {}
    assert withheld([EMPTY, JUMP]) == {"volumes": "the ejection fraction cannot be"}
    both = withheld([EMPTY, GATES])
    assert both["phase"] == "gates are out of order"
    assert both["volumes"] == "the ejection fraction cannot be and gates are out of order"


def test_a_flag_keeps_its_consequence_where_it_is_copied() -> None:
    back = deepcopy(GATES)
    assert (back, back.consequence, back.of) == (GATES, "no verdict", ("phase", "volumes"))


def test_two_sentences_are_no_flag() -> None:
    with pytest.raises(ValueError, match="one sentence"):
        Flag("too slow; too dim")
