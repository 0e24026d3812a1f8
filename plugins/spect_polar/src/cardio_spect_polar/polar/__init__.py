"""Polar maps: angles, the 17 segments, rasters and pictures, and maps of flow."""
