"""`cardio measure`: what can be said of recordings without labels and without a model."""
