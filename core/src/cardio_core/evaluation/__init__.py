"""Default evaluation: matching of events, comparison of models, fusion, audits."""
