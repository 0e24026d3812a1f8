"""What is fitted on training patients: codes, their screen, the regression of each model."""
