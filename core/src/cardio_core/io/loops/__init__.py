"""Ultrasound loops: DICOM, video and arrays, as one type that yields its frames one by one."""
