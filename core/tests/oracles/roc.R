# Oracle for intervals of AUCs, partial areas, rates at a fixed rate, ratios, thresholds, power and
# areas of several classes. Run in this folder: Rscript roc.R > roc.json
# Needs jsonlite and pROC. The rows are those of discrimination.R, from integers alone.
suppressWarnings(suppressMessages({library(jsonlite); library(pROC)}))
source_part <- readLines("discrimination.R")
eval(parse(text = source_part[seq_len(grep("^obuchowski", source_part) - 1)]))

placed <- function(d, score) {
  psi <- outer(d[[score]][d$y == 1], d[[score]][d$y == 0], function(x, z) (x > z) + .5 * (x == z))
  list(case = rowMeans(psi), control = colMeans(psi), area = mean(psi))
}
clustered_df <- function(d) {
  p <- placed(d, "a")
  own <- numeric(nrow(d))
  own[d$y == 1] <- (p$case - p$area) / sum(d$y == 1)
  own[d$y == 0] <- (p$control - p$area) / sum(d$y == 0)
  of_cluster <- tapply(own, d$cluster, sum)
  holds <- tapply(d$y, d$cluster, function(y) any(y == 1) + 2 * any(y == 0))
  k <- table(holds)
  v <- tapply(of_cluster^2, holds, sum) * k / pmax(k - 1, 1)
  sum(v)^2 / sum(v^2 / pmax(k - 1, 1))
}
intervals <- lapply(recipes, function(r) {
  d <- make(r); a <- placed(d, "a"); b <- placed(d, "b")
  welch <- t.test(a$case, a$control)        # its df is that of var/m + var/n
  area <- a$area; se <- welch$stderr; df <- unname(welch$parameter)
  t <- qlogis(area) * area * (1 - area) / se
  both <- t.test(a$case - b$case, a$control - b$control)
  paired_df <- unname(both$parameter); difference <- area - b$area
  list(df = df, t = t, p = 2 * pt(-abs(t), df), t_975 = qt(.975, df),
       logit = plogis(qlogis(area) + c(-1, 1) * qt(.975, df) * se / (area * (1 - area))),
       paired_df = paired_df, paired_p = 2 * pt(-abs(difference / both$stderr), paired_df),
       paired = pmin(pmax(difference + c(-1, 1) * qt(.975, paired_df) * both$stderr, -1), 1),
       clustered_df = if (r$n <= 1000) clustered_df(d) else NULL)
})
cat(toJSON(list(made_by = "Rscript roc.R", r = R.version.string,
                pROC = as.character(packageVersion("pROC")), intervals = intervals),
           auto_unbox = TRUE, digits = 17, null = "null"))
