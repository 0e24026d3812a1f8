"""The ECG that a scanner drew into the picture, read back."""
