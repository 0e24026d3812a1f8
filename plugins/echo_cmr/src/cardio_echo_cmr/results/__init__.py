"""What predictions are worth: areas and errors with intervals, and the learning curve."""
