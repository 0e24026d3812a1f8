"""Loop files of every kind, found and read: DICOM, video, arrays and polar data."""
