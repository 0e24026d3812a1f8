# Oracle for intervals of a proportion. Run: Rscript proportions.R > proportions.json
# prop.test without continuity correction gives Wilson's limits, binom.test Clopper and Pearson's.
suppressWarnings(suppressMessages(library(jsonlite)))
cases <- list(c(0, 10), c(1, 10), c(24, 29), c(29, 29), c(290, 1116), c(5, 7), c(49999, 100000))
result <- suppressWarnings(lapply(cases, function(kn) list(
  k = kn[1], n = kn[2],
  wilson = as.numeric(prop.test(kn[1], kn[2], correct = FALSE)$conf.int),
  wilson_90 = as.numeric(prop.test(kn[1], kn[2], conf.level = .9, correct = FALSE)$conf.int),
  clopper_pearson = as.numeric(binom.test(kn[1], kn[2])$conf.int))))
cat(toJSON(list(made_by = "Rscript proportions.R", r = R.version.string, cases = result),
           auto_unbox = TRUE, digits = 17))
