"""Is a new patient like those whom the models were trained on? Summaries, distances, verdicts."""
