"""What cohort tables are made of: their columns, their files, what can be wrong with them."""
