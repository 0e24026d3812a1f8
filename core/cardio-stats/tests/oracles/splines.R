# Oracle for restricted cubic splines. Run: Rscript splines.R > splines.json
# The rows come from integers alone. lrm, cph, anova (Wald), summary (quartiles) and contrast are rms's.
suppressWarnings(suppressMessages({library(jsonlite); library(rms)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 5 * n), ncol = 5, byrow = TRUE)
  age <- 40 + (u[, 1] %% 400) / 10; risk <- 20 + abs(age - 58)^2 / 8 + 20 * (u[, 2] %% 3)
  had <- 1 + u[, 3] %% 3000 / risk; lost <- 1 + u[, 4] %% 60
  data.frame(age = age, arm = c("a", "b", "c")[1 + u[, 2] %% 3], y = as.integer(u[, 5] %% 200 < risk),
             time = pmin(had, lost), event = as.integer(had <= lost))
}
one <- function(seed, n, k) {
  k <<- k; d <<- make(seed, n); dd <<- datadist(d); options(datadist = "dd")
  at <- c(45, 55, 70); q <- quantile(d$age, c(.25, .75)); names <- c("age", "arm")
  say <- function(f, coefs) {
    a <- anova(f, test = "Chisq"); s <- summary(f, age = unname(q), conf.int = .95, antilog = TRUE); i <- 1
    p <- contrast(f, list(age = at, arm = "a"), list(age = median(d$age), arm = "a"))
    list(coef = unname(coefs), se = unname(sqrt(diag(vcov(f)))),
         association = unname(a["age", 1:3]), nonlinearity = unname(a[" Nonlinear", 1:3]),
         quartiles = unname(q), ratio = unname(s[2, c("Effect", "Lower 0.95", "Upper 0.95")]),
         at = at, ratios = exp(unname(p$Contrast)), low = exp(unname(p$Lower)), high = exp(unname(p$Upper)))
  }
  f <- lrm(y ~ rcs(age, k) + arm, d, x = TRUE, y = TRUE, eps = 1e-14, maxit = 50); g <- cph(Surv(time, event) ~ rcs(age, k) + arm, d, x = TRUE, y = TRUE, surv = TRUE, eps = 1e-12, tol = 1e-13)
  list(seed = seed, n = n, k = k, sum_age = sum(d$age), events = sum(d$y), deaths = sum(d$event), reference = median(d$age),
       knots = f$Design$parms$age, new = data.frame(age = c(41, 62.5), arm = c("b", "c")),
       predicted = unname(predict(f, data.frame(age = c(41, 62.5), arm = c("b", "c")), type = "fitted")),
       survival_20 = unname(survest(g, data.frame(age = c(41, 62.5), arm = c("b", "c")), times = 20)$surv),
       deviance = f$deviance[2], lrm = say(f, coef(f)), cph = say(g, coef(g)))
}
cat(toJSON(list(made_by = "Rscript splines.R", r = R.version.string, rms = as.character(packageVersion("rms")),
  cases = mapply(one, c(7, 11, 13), c(400, 300, 80), c(4, 5, 3), SIMPLIFY = FALSE)), digits = 12, auto_unbox = TRUE))
