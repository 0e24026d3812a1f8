"""What is done to an ECG before it becomes a picture: filters, R peaks, segments, spectrograms."""
