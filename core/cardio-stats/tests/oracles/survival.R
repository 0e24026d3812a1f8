# Oracle for the time to an event. Run: Rscript survival.R > survival.json
# The rows come from integers alone, with many tied times. survfit, survdiff, coxph, cox.zph and concordance are
# survival's; Score is riskRegression's (AUC and Brier score weighted for censoring, with their standard errors).
suppressWarnings(suppressMessages({library(jsonlite); library(survival); library(riskRegression)}))
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
curve <- function(f, at) {
  s <- summary(f, times = at); q <- quantile(f, .5)
  list(n = unname(f$n), median = unname(q$quantile), median_low = unname(q$lower), median_high = unname(q$upper),
       at = at, survival = s$surv, se = s$std.err, low = s$lower, high = s$upper, at_risk = s$n.risk)
}
agree <- function(d, w, ...) { k <- concordance(Surv(time, event) ~ x, d, timewt = w, reverse = TRUE, ...)
  list(value = unname(k$concordance), se = sqrt(k$var)) }
timed <- function(d, at) {
  s <- Score(list(m = d$risk), formula = Surv(time, event) ~ 1, data = d, times = at, metrics = c("auc", "brier"), summary = "ipa", conf.int = TRUE)
  a <- s$AUC$score; b <- s$Brier$score[model == "m"]
  list(at = at, auc = a$AUC, auc_se = a$se, brier = b$Brier, brier_se = b$se, scaled = b$IPA)
}
one <- function(seed, n) {
  d <- make(seed, n); at <- c(10, 30)
  cox <- coxph(Surv(time, event) ~ x + flag + arm, d); z <- cox.zph(cox, terms = FALSE)$table
  base <- summary(survfit(cox, newdata = d[1:5, ]), times = 30)$surv
  list(seed = seed, n = n, events = sum(d$event), sum_time = sum(d$time),
       curves = lapply(split(d, d$arm), function(g) curve(survfit(Surv(time, event) ~ 1, g, conf.type = "log-log"), at)),
       everybody = curve(survfit(Surv(time, event) ~ 1, d, conf.type = "log-log"), at),
       log_rank = survdiff(Surv(time, event) ~ arm, d)$chisq,
       coef = unname(coef(cox)), se = unname(sqrt(diag(vcov(cox)))), log_likelihood_chi2 = 2 * diff(cox$loglik),
       zph = unname(z[, "chisq"]), zph_p = unname(z[, "p"]), risk_at_30 = as.numeric(1 - base),
       harrell = agree(d, "n"), uno = agree(d, "n/G2"), uno_to_30 = agree(d, "n/G2", ymax = 30), timed = timed(d, at))
}
cat(toJSON(list(made_by = "Rscript survival.R", r = R.version.string, survival = as.character(packageVersion("survival")),
                riskRegression = as.character(packageVersion("riskRegression")), sets = list(one(3, 150), one(11, 400))),
           auto_unbox = TRUE, digits = 17, na = "null"))
