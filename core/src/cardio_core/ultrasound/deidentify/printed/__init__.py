"""What of a picture is print, and what are its own colours: decided over all frames."""
