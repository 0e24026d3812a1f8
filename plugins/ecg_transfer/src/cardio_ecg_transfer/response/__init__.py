"""The second task: one logit a patient, and everything that it is compared with."""
