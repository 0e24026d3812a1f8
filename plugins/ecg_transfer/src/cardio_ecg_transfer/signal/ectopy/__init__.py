"""What tells an ectopic beat from the patient's own: shape, rhythm, P wave, noise."""
