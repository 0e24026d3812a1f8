"""Take away what identifies a patient: from pixels, headers and file names of ultrasound loops."""
