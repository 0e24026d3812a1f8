"""Explain."""
from cardio_core.api import Explanation
def explain_beats(model, features, predictions, config, ctx):
    return Explanation()
