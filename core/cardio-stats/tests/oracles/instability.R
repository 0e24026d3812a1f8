# Oracle for the instability of predictions (Riley and Collins 2023). Run: Rscript instability.R > instability.json
# glm is fitted again in 4000 resamples of the rows of association.json; threshold .4.
suppressWarnings(suppressMessages(library(jsonlite)))
d <- as.data.frame(fromJSON("association.json")$data)
f <- y ~ qrs_ms + lvef_pct + scar_pct + age_y
d <- d[complete.cases(d[, all.vars(f)]), ]
p <- predict(glm(f, binomial, d), type = "response")
set.seed(1)
q <- replicate(4000, suppressWarnings(predict(glm(f, binomial, d[sample(nrow(d), replace = TRUE), ]), d, type = "response")))
each <- rowMeans(abs(q - p)); other <- rowMeans((q >= .4) != (p >= .4))
cat(toJSON(list(made_by = "Rscript instability.R", r = R.version.string, n = nrow(d), mape = mean(each), percentile_95 = unname(quantile(each, .95)),
  greatest = max(each), classification = mean(other), width = mean(apply(q, 1, quantile, .975) - apply(q, 1, quantile, .025))), digits = 12, auto_unbox = TRUE))
