"""Times to an event that not everybody has yet: survival curves, Cox models, timed scores."""
