# Oracle for judged numbers and classes. Run: Rscript judged_kinds.R > judged_kinds.json
# lm, cor.test, t.test and the printed formulas of Bland and Altman and of Lin (1989); pROC for each
# class against the rest and for Hand and Till. The rows are made by a formula, as in test_judged_kinds.py.
suppressWarnings(suppressMessages({library(jsonlite); library(pROC)}))
i <- 0:89
y <- round(50 + 10 * sin(i * 1.7) + 4 * cos(i * 0.9), 3)
p <- round(4 + 0.9 * y + 5 * sin(i * 2.3), 3)
d <- p - y; n <- length(y); t <- t.test(d); fit <- coef(lm(y ~ p)); r <- cor.test(y, p)
m2 <- function(x) mean((x - mean(x))^2)
number <- list(
  mae = mean(abs(d)), mae_constant = mean(abs(y - median(y))), rmse = sqrt(mean(d^2)),
  r2 = 1 - sum(d^2) / sum((y - mean(y))^2), pearson_r = unname(r$estimate),
  pearson_r2 = unname(r$estimate)^2,
  ccc = 2 * mean((y - mean(y)) * (p - mean(p))) / (m2(y) + m2(p) + (mean(y) - mean(p))^2),
  calibration_slope = unname(fit[2]), calibration_intercept = unname(fit[1]),
  bias = mean(d), sd_of_differences = sd(d),
  loa_lower = mean(d) - qnorm(.975) * sd(d), loa_upper = mean(d) + qnorm(.975) * sd(d))
limits <- list(bias = as.numeric(t$conf.int), pearson_r = as.numeric(r$conf.int))
g <- c("mild", "moderate", "severe")[1 + (i * 7) %% 10 %/% 4]
raw <- sapply(1:3, function(k) round(0.2 + 0.5 * (g == c("mild", "moderate", "severe")[k]) * (((i * (k + 2)) %% 5) > 1) + 0.25 * abs(sin(i * (k + 0.3))), 3))
prob <- round(raw / rowSums(raw), 6); colnames(prob) <- c("mild", "moderate", "severe")
area <- sapply(colnames(prob), function(k) as.numeric(auc(roc(g == k, prob[, k], quiet = TRUE, direction = "<"))))
said <- colnames(prob)[max.col(prob, ties.method = "first")]
tab <- table(factor(g, colnames(prob)), factor(said, colnames(prob)))
f1 <- 2 * diag(tab) / (rowSums(tab) + colSums(tab))
po <- sum(diag(tab)) / n; pe <- sum(rowSums(tab) * colSums(tab)) / n^2
classes <- list(auc = as.list(area), macro_f1 = mean(f1), accuracy = po, kappa = (po - pe) / (1 - pe),
  multiclass_auc = as.numeric(multiclass.roc(g, prob, quiet = TRUE)$auc))
cat(toJSON(list(made_with = paste(R.version.string, "pROC", packageVersion("pROC")),
  number = number, limits = limits, classes = classes), auto_unbox = TRUE, digits = 10, pretty = TRUE), "\n")
