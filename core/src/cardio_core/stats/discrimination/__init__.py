"""How well a score ranks: AUCs with covariances and bootstraps, ROC curve, average precision."""
