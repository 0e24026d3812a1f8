"""Phantoms of the standard views: one heart in three dimensions, cut by the plane of each view."""
