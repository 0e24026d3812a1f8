# Oracle for calibration. Run: Rscript calibration.R > calibration.json
# glm gives slope and intercept, rms::val.prob Brier's score and the same slope again,
# the curve is that of loess as it stands (degree 2, surface interpolated),
# the cluster-robust error is the sandwich of glm's scores with the factor m/(m-1).
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n, n_clusters) {
  u <- matrix(lehmer(seed, 3 * n), ncol = 3, byrow = TRUE)
  p <- (u[, 1] %% 997 + 1) / 999
  data.frame(p = p, y = as.integer(u[, 2] %% 1000 < 1000 * (.15 + .6 * p)), cluster = u[, 3] %% n_clusters)
}
one <- function(seed, n, n_clusters) {
  d <- make(seed, n, n_clusters); lp <- qlogis(d$p)
  tight <- glm.control(epsilon = 1e-14, maxit = 100)
  slope <- glm(y ~ lp, binomial, d, control = tight)
  large <- glm(y ~ offset(lp), binomial, d, control = tight)
  X <- model.matrix(slope); m <- length(unique(d$cluster))
  scores <- rowsum(X * (d$y - fitted(slope)), d$cluster)
  robust <- m / (m - 1) * vcov(slope) %*% crossprod(scores) %*% vcov(slope)
  v <- val.prob(d$p, d$y, pl = FALSE)
  grid <- seq(min(d$p), max(d$p), length.out = 11)
  curve <- function(span) as.numeric(predict(loess(y ~ p, d, span = span), data.frame(p = grid)))
  list(seed = seed, n = n, n_clusters = n_clusters, events = sum(d$y), sum_p = sum(d$p),
       slope = unname(coef(slope)[2]), slope_se = sqrt(vcov(slope)[2, 2]), intercept = unname(coef(slope)[1]),
       in_the_large = unname(coef(large)), in_the_large_se = sqrt(vcov(large)[1, 1]),
       slope_se_robust = sqrt(robust[2, 2]),
       brier = unname(v["Brier"]), slope_val_prob = unname(v["Slope"]),
       loess_75 = curve(.75), loess_40 = curve(.4))
}
cat(toJSON(list(made_by = "Rscript calibration.R", r = R.version.string, rms = as.character(packageVersion("rms")),
                sets = list(one(3, 120, 24), one(11, 1000, 100))), auto_unbox = TRUE, digits = 17))
