# Oracle for Table 1 on the aCRT-ELSYNC data (doi 10.1101/2020.09.14.20194415, MIT licence).
# Run: Rscript table_one_elsync.R ELSYNC_dataset.csv > table_one_elsync.json  (needs jsonlite)
suppressWarnings(suppressMessages(library(jsonlite)))
d <- read.csv(commandArgs(TRUE)[1], na.strings = "")
d$aCRT <- factor(d$aCRT)
continuous <- lapply(setNames(nm = c("lvef1", "areaQRS1", "latea1", "mlhfq_tot2")), function(v) {
  f <- reformulate("aCRT", v)
  list(mean = mean(d[[v]], na.rm = TRUE), sd = sd(d[[v]], na.rm = TRUE), missing = sum(is.na(d[[v]])),
       group_mean = as.vector(tapply(d[[v]], d$aCRT, mean, na.rm = TRUE)),
       welch = oneway.test(f, d)$p.value, anova = oneway.test(f, d, var.equal = TRUE)$p.value,
       kruskal = kruskal.test(f, d)$p.value)
})
categorical <- lapply(setNames(nm = c("male", "acei_arb", "SV5V6")), function(v) {
  m <- table(d[[v]], d$aCRT)
  list(counts = matrix(m, nrow(m)), fisher = fisher.test(m)$p.value)
})
cat(toJSON(list(made_by = "Rscript table_one_elsync.R", r = R.version.string,
                continuous = continuous, categorical = categorical), digits = NA, auto_unbox = TRUE))
