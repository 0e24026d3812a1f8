"""DICOM NM images, element by element."""
