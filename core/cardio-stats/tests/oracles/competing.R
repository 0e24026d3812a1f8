# Oracle for competing risks. Run: Rscript competing.R > competing.json
# The rows come from integers alone, with tied times. cuminc and crr are cmprsk's; the standard error of
# the incidence, the cause-specific Cox regression and the restricted mean are survival's.
suppressWarnings(suppressMessages({library(jsonlite); library(survival); library(cmprsk)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 5 * n), ncol = 5, byrow = TRUE)
  x <- u[, 1] %% 1000; a <- 1 + (u[, 2] %% (1600 - x)) %/% 20; b <- 1 + (u[, 3] %% (900 + x)) %/% 12; lost <- 1 + u[, 4] %% 90
  first <- pmin(a, b, lost)
  data.frame(time = first, status = ifelse(first == lost, 0, ifelse(a <= b, 1, 2)), x = x / 100, flag = as.integer(u[, 5] %% 10 < 4))
}
one <- function(seed, n) {
  d <- make(seed, n); at <- c(10, 30); arm <- ifelse(d$flag == 1, "b", "a")
  k <- cuminc(d$time, d$status); g <- cuminc(d$time, d$status, arm); t <- timepoints(k, at); tg <- timepoints(g, at)
  m <- cbind(x = d$x, flag = d$flag); f <- crr(d$time, d$status, m, failcode = 1, gtol = 1e-10)
  cs <- coxph(Surv(time, status == 1) ~ x + flag, d)
  r <- summary(survfit(Surv(time, status > 0) ~ 1, d), rmean = 30)$table; ra <- summary(survfit(Surv(time, status > 0) ~ arm, d), rmean = 30)$table
  list(seed = seed, n = n, counts = as.numeric(table(d$status)), sum_time = sum(d$time), at = at, risk = unname(t$est["1 1", ]), se = summary(survfit(Surv(time, factor(status)) ~ 1, d), times = at)$std.err[, 2],
       risk_2 = unname(t$est["1 2", ]), by_arm = list(a = unname(tg$est["a 1", ]), b = unname(tg$est["b 1", ])),
       crr = unname(f$coef), crr_se = unname(sqrt(diag(f$var))), crr_loglik = f$loglik, crr_null = f$loglik.null,
       predicted = as.numeric(predict(f, cbind(c(2, 8), c(0, 1)))[max(which(f$uftime <= 30)), -1]),
       cause = unname(coef(cs)), cause_se = unname(sqrt(diag(vcov(cs)))), rmst = unname(r[5:6]), rmst_arm = unname(ra[, 5]), rmst_arm_se = unname(ra[, 6]))
}
cat(toJSON(list(made_by = "Rscript competing.R", r = R.version.string, cmprsk = as.character(packageVersion("cmprsk")), survival = as.character(packageVersion("survival")),
  cases = list(one(5, 120), one(17, 400))), digits = 12, auto_unbox = TRUE))
