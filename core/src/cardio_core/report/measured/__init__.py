"""What `cardio measure` shows: the measurements in words, a sheet a recording, the page."""
