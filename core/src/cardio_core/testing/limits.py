"""How long a test waits for what should have ended."""

HUNG_AFTER_S = 20 * 60.0
"""Ends what hangs, and nothing else: no machine is so slow or so busy that a step of a test takes
twenty minutes on it."""
