"""From a loop to a clip of it: the square, the cut in time, heat and occlusion of a clip."""
