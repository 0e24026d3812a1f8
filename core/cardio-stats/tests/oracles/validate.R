# Oracle for the validation of a logistic model: rms::validate with 4000 resamples, seeded.
# Run: Rscript validate.R > validate.json  (needs rms and jsonlite; reads association.json)
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
d <- as.data.frame(fromJSON("association.json")$data)
fit <- lrm(y ~ qrs_ms + lvef_pct + scar_pct + age_y, d, x = TRUE, y = TRUE)
set.seed(1)
v <- validate(fit, B = 4000)
rows <- c("Dxy", "Intercept", "Slope", "B")
cat(toJSON(list(made_by = "Rscript validate.R", r = R.version.string, rms = as.character(packageVersion("rms")),
  printed = capture.output(print(v)), orig = as.list(v[rows, "index.orig"]), optimism = as.list(v[rows, "optimism"]),
  corrected = as.list(v[rows, "index.corrected"])), digits = NA, auto_unbox = TRUE))
