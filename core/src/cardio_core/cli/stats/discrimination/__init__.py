"""The commands of `cardio stats` on ROC curves."""
