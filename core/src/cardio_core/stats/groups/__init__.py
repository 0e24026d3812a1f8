"""Groups of patients compared: tests of means, counts and ranks, Table 1, subgroup audit."""
