"""The smallest plugin that uses every contract of the core."""
