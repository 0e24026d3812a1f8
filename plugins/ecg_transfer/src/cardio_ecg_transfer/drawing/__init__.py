"""Figures: spectrograms with what a network saw in them."""
