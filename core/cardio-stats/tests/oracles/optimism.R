# Oracle for the optimism bootstrap: rms::validate of a logistic model with 4000 resamples.
# Run: Rscript optimism.R > optimism.json  (needs rms and jsonlite; reads association.json)
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
d <- as.data.frame(fromJSON("association.json")$data)
fit <- lrm(y ~ qrs_ms + lvef_pct + scar_pct + age_y, d, x = TRUE, y = TRUE)
set.seed(1)
v <- validate(fit, B = 4000)
cat(toJSON(list(made_by = "Rscript optimism.R", r = R.version.string, rms = as.character(packageVersion("rms")),
  apparent_auc = .5 + v["Dxy", "index.orig"] / 2, optimism_auc = v["Dxy", "optimism"] / 2,
  corrected_auc = .5 + v["Dxy", "index.corrected"] / 2), digits = NA, auto_unbox = TRUE))
