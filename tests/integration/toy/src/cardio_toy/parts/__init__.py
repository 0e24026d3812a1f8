"""What both families of tasks share."""
