"""Transfer learning on ECG spectrograms (He et al. 2023), as a cardio plugin."""
