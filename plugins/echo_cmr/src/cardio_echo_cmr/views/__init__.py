"""The views of a loop: their names, how well they were told, which of them a study has."""
