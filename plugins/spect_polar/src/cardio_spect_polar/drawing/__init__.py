"""Figures: polar maps, phase histograms, sampled walls."""
