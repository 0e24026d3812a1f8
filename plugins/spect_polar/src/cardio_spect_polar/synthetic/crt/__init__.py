"""The CRT cohort: patients, their table, and their studies."""
