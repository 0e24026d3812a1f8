# Oracle for nested models, variance inflation and adjusted p-values.
# Run: Rscript association.R > association.json  (needs jsonlite; the rest is R's own)
suppressWarnings(suppressMessages(library(jsonlite)))
set.seed(5)
n <- 90
d <- data.frame(qrs_ms = round(rnorm(n, 160, 22)), lvef_pct = round(rnorm(n, 28, 6), 1),
                scar_pct = round(rexp(n, 1 / 20), 1))
d$age_y <- round(60 + .2 * d$qrs_ms - 32 + rnorm(n, 0, 6))
d$y <- rbinom(n, 1, plogis(-4 + .02 * d$qrs_ms - .02 * d$scar_pct + .03 * d$lvef_pct))
a <- glm(y ~ qrs_ms, binomial, d); b <- glm(y ~ qrs_ms + scar_pct + age_y, binomial, d)
full <- glm(y ~ qrs_ms + lvef_pct + scar_pct + age_y, binomial, d)
test <- anova(a, b, full, test = "LRT")
vif <- sapply(names(d)[1:4], function(f)
  1 / (1 - summary(lm(reformulate(setdiff(names(d)[1:4], f), f), d))$r.squared))
p <- list(c(.01, .02, .03, .04, .05), c(.001, .5, .04, .04, .9, .0003, 1), c(.2), runif(64)^2)
adjusted <- lapply(p, function(v) list(p = v, holm = p.adjust(v, "holm"), bh = p.adjust(v, "BH"),
                                       bonferroni = p.adjust(v, "bonferroni")))
cat(toJSON(list(made_by = "Rscript association.R", r = R.version.string, data = d,
  added_chi2 = test$Deviance[2:3], added_df = test$Df[2:3], added_p = test$`Pr(>Chi)`[2:3],
  null_chi2 = c(a$null.deviance - a$deviance, b$null.deviance - b$deviance,
                full$null.deviance - full$deviance),
  aic = c(AIC(a), AIC(b), AIC(full)), vif = as.list(vif), adjusted = adjusted),
  digits = NA, auto_unbox = TRUE, dataframe = "columns"))
