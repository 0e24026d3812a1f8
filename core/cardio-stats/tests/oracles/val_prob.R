# Oracle for the smooth calibration errors (loess, and rms::val.prob) and the tests of unreliability.
# Run: Rscript val_prob.R > val_prob.json  (the rows of calibration.R, made from integers alone)
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 3 * n), ncol = 3, byrow = TRUE)
  p <- (u[, 1] %% 997 + 1) / 999
  data.frame(p = p, y = as.integer(u[, 2] %% 1000 < 1000 * (.15 + .6 * p)))
}
# ICI, E50, E90 and Emax as Austin and Steyerberg print them (Stat Med 2019;38:4051, appendix)
loess_errors <- function(d) {
  e <- abs(predict(loess(y ~ p, d), newdata = d$p) - d$p)
  list(ici = mean(e), e50 = median(e), e90 = unname(quantile(e, .9)), emax = max(e))
}
one <- function(seed, n) {
  d <- make(seed, n)
  v <- val.prob(d$p, d$y, pl = FALSE)
  # lowess without its short cut: a fit at every row
  exact <- lowess(d$p, d$y, iter = 0, delta = 0)
  e <- abs(d$p - approx(exact, xout = d$p, ties = mean)$y)
  list(seed = seed, n = n, printed = capture.output(print(v)), values = as.list(v),
       lowess_everywhere = list(eavg = mean(e), e50 = median(e), e90 = unname(quantile(e, .9)), emax = max(e)),
       loess = loess_errors(d), loess_of_tied = loess_errors(transform(d, p = round(p, 1) * .9 + .05)),
       loess_of_rare = loess_errors(transform(d, p = p^4 * .5, y = as.integer(y == 1 & seq_along(y) %% 4 == 0))),
       net_benefit = sapply(c(.1, .25, .5), function(t) mean(d$p >= t & d$y == 1) - mean(d$p >= t & d$y == 0) * t / (1 - t)))
}
cat(toJSON(list(made_by = "Rscript val_prob.R", r = R.version.string, rms = as.character(packageVersion("rms")),
                sets = list(one(3, 120), one(11, 1000), one(7, 61))), auto_unbox = TRUE, digits = 17))
