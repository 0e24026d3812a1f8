# Oracle for net benefit and slope by a time. Run: Rscript survival_decisions.R > survival_decisions.json
# Net benefit as in Vickers 2008 from survfit's risks in those at or above the threshold; its error from 2000 resamples.
# The rows are those of survival.R, made from integers alone.
suppressWarnings(suppressMessages({library(jsonlite); library(survival)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 5 * n), ncol = 5, byrow = TRUE)
  x <- u[, 1] %% 1000; had <- 1 + (u[, 4] %% (1600 - x)) %/% 20; lost <- 1 + u[, 5] %% 90
  data.frame(time = pmin(had, lost), event = as.integer(had <= lost), risk = (50 + x %/% 10 * 8) / 1000)
}
risk_by <- function(d, at) 1 - summary(survfit(Surv(time, event) ~ 1, d), times = at, extend = FALSE)$surv
benefit <- function(d, at, t) {
  treated <- d[d$risk >= t, ]; share <- nrow(treated) / nrow(d); r <- risk_by(treated, at)
  share * r - share * (1 - r) * t / (1 - t)
}
one <- function(seed, n) {
  d <- make(seed, n); at <- 30; set.seed(1); thresholds <- c(.2, .4, .6)
  lp <- log(-log(1 - d$risk)); cox <- coxph(Surv(time, event) ~ lp, d)
  list(seed = seed, n = n, at = at, thresholds = thresholds,
       net_benefit = sapply(thresholds, function(t) benefit(d, at, t)),
       treat_all = sapply(thresholds, function(t) { r <- risk_by(d, at); r - (1 - r) * t / (1 - t) }),
       se = sapply(thresholds, function(t) sd(replicate(2000, tryCatch(benefit(d[sample(n, n, TRUE), ], at, t), error = function(e) NA)), na.rm = TRUE)),
       slope = unname(coef(cox)), slope_se = sqrt(vcov(cox)[1, 1]))
}
cat(toJSON(list(made_by = "Rscript survival_decisions.R", r = R.version.string, survival = as.character(packageVersion("survival")),
                sets = list(one(3, 150), one(11, 400))), auto_unbox = TRUE, digits = 17))
