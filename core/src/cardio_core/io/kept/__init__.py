"""What is kept in a run directory, each kind of file declared once and checked as it is read."""
