"""The digital left ventricle, its image by a gamma camera, and the truth about both."""
