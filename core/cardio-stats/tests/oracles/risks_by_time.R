# Oracle for predicted risks by a time. Run: Rscript risks_by_time.R > risks_by_time.json
# The rows are those of survival.R. The calibration is Austin's (Stat Med 2020;39:2714): rms's cph on a spline of
# log(-log(1 - risk)) with three knots, and survest; the net benefit is computed from survival's survfit of the treated.
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 5 * n), ncol = 5, byrow = TRUE)
  x <- u[, 1] %% 1000; had <- 1 + (u[, 4] %% (1600 - x)) %/% 20; lost <- 1 + u[, 5] %% 90
  data.frame(time = pmin(had, lost), event = as.integer(had <= lost), x = x / 100, arm = c("a", "b", "c")[1 + u[, 2] %% 3],
             flag = as.integer(u[, 3] %% 1000 < 300), risk = (50 + x %/% 10 * 8) / 1000)
}
one <- function(seed, n, at, points) {
  d <<- make(seed, n); d$x1 <<- log(-log(1 - d$risk)); dd <<- datadist(d); options(datadist = "dd")
  f <- cph(Surv(time, event) ~ rcs(x1, 3), d, x = TRUE, y = TRUE, surv = TRUE, eps = 1e-12, tol = 1e-13)
  seen <- 1 - survest(f, newdata = d, times = at, se.fit = FALSE)$surv
  g <- coxph(Surv(time, event) ~ x1, d)
  s <- summary(survfit(coxph(Surv(time, event) ~ rcs(x1, f$Design$parms$x1), d), newdata = data.frame(x1 = log(-log(1 - points))), conf.type = "log-log"), times = at)
  worth <- function(pt) {
    treated <- d[d$risk >= pt, ]; w <- pt / (1 - pt); k <- summary(survfit(Surv(time, event) ~ 1, treated), times = at); p <- nrow(treated) / n
    all <- summary(survfit(Surv(time, event) ~ 1, d), times = at)$surv
    list(threshold = pt, value = p * ((1 - k$surv) - k$surv * w), all = (1 - all) - all * w, n = nrow(treated))
  }
  e <- abs(seen - d$risk)
  list(seed = seed, n = n, at = at, slope = unname(coef(g)), se = sqrt(diag(vcov(g)))[[1]], ici = mean(e), e50 = median(e), e90 = unname(quantile(e, .9)),
       points = points, observed = as.numeric(1 - s$surv), low = as.numeric(1 - s$upper), high = as.numeric(1 - s$lower), worth = lapply(c(.2, .5, .7), worth))
}
cat(toJSON(list(made_by = "Rscript risks_by_time.R", r = R.version.string, survival = as.character(packageVersion("survival")), rms = as.character(packageVersion("rms")),
  cases = mapply(one, c(3, 11), c(150, 400), MoreArgs = list(at = 20, points = c(.15, .4, .8)), SIMPLIFY = FALSE)), digits = 12, auto_unbox = TRUE))
