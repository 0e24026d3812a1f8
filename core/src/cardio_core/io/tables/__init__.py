"""Tables as people write them: one reader for cohort tables and for `cardio stats`."""
