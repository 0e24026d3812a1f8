"""Options of the command line that both tasks take; nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import Option

OPTIONS = (
    Option(
        "rate-hz", "Sampling rate of CSV files that do not state it",
        setting="load.rate_hz", form="NUMBER", unit="Hz", for_new=True,
    ),
    Option(
        "unit", "Unit of CSV files that do not state it",
        setting="load.unit", form="mV|uV|V|nV", for_new=True,
    ),
)  # fmt: skip
