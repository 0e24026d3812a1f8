"""The family of patients: one probability of response each, and what it is compared with."""
