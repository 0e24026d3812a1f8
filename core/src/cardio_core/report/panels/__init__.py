"""A page of a few panels: sentences, a figure and tables each, for a study beside a run."""
