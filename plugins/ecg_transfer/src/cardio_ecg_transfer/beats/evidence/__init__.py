"""The model on what is measured of each beat: rhythm, P wave, shape, noise."""
