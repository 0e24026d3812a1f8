"""A folder as a scanner or an archive exports it: what each file is, which loops are a study."""
