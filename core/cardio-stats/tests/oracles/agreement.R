# Oracle for agreement. Run: Rscript agreement.R > agreement.json
# psych::ICC (analysis of variance), psych::cohen.kappa and epiR::epi.kappa, cor.test, and limits of
# agreement: exact bounds by qt with a non-centrality, repeated pairs by aov and Zou's formulas
# (Stat Methods Med Res 2013;22:630, equations 4 to 9).
suppressWarnings(suppressMessages({library(jsonlite); library(psych); library(epiR)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
icc <- function(seed, n, k) {
  u <- matrix(lehmer(seed, n * (k + 1)), nrow = n, byrow = TRUE)
  x <- matrix(0, n, k)
  for (j in 1:k) x[, j] <- u[, 1] %% 50 + u[, j + 1] %% 30 + 3 * j
  r <- ICC(x, lmer = FALSE)$results
  list(ratings = x, type = r$type, icc = r$ICC, f = r$F, df1 = r$df1, df2 = r$df2, p = r$p,
       low = r$`lower bound`, high = r$`upper bound`)
}
kappa <- function(seed, n, k) {
  u <- matrix(lehmer(seed, 3 * n), ncol = 3, byrow = TRUE)
  a <- u[, 1] %% k; b <- ifelse(u[, 2] %% 10 < 6, a, u[, 3] %% k)
  tab <- table(factor(a, 0:(k - 1)), factor(b, 0:(k - 1)))
  lin <- 1 - abs(outer(0:(k - 1), 0:(k - 1), "-")) / (k - 1)
  plain <- suppressWarnings(cohen.kappa(cbind(a, b)))
  linear <- suppressWarnings(cohen.kappa(cbind(a, b), w = lin))
  epi <- if (k == 2) { e <- epi.kappa(as.matrix(tab), method = "fleiss"); list(est = e$kappa$est, se = e$kappa$se, low = e$kappa$lower, high = e$kappa$upper) } else NULL
  list(a = a, b = b, kappa = plain$kappa, var = plain$var.kappa, quadratic = plain$weighted.kappa,
       var_quadratic = plain$var.weighted, linear = linear$weighted.kappa, var_linear = linear$var.weighted, epi = epi)
}
limits <- function(seed, n) {
  u <- matrix(lehmer(seed, 2 * n), ncol = 2, byrow = TRUE)
  a <- u[, 1] %% 100; b <- a + u[, 2] %% 21 - 8
  d <- b - a; z <- qnorm(.975); t <- t.test(d)
  bound <- function(p) qt(p, n - 1, z * sqrt(n)) * sd(d) / sqrt(n)
  list(a = a, b = b, bias = mean(d), ci = as.numeric(t$conf.int), p = t$p.value, sd = sd(d),
       sd_ci = sqrt((n - 1) * var(d) / qchisq(c(.975, .025), n - 1)),
       upper = mean(d) + z * sd(d), upper_ci = mean(d) + c(bound(.025), bound(.975)),
       lower = mean(d) - z * sd(d), lower_ci = mean(d) - c(bound(.975), bound(.025)))
}
repeated <- function(seed, n) {
  m <- 2 + lehmer(seed, n) %% 4; id <- rep(seq_len(n), m); N <- length(id)
  u <- matrix(lehmer(seed + 1, 2 * N), ncol = 2, byrow = TRUE); own <- (lehmer(seed + 2, n) %% 15)[id]
  a <- u[, 1] %% 100; b <- a + u[, 2] %% 11 + own - 9; d <- b - a
  fit <- anova(lm(d ~ factor(id)))
  msw <- fit["Residuals", "Mean Sq"]; means <- tapply(d, id, mean)
  s2d <- var(means); mh <- n / sum(1 / m); dbar <- mean(means); z <- qnorm(.975)
  tot <- s2d + (1 - 1 / mh) * msw
  l <- tot - sqrt((s2d * (1 - (n - 1) / qchisq(.975, n - 1)))^2 + ((1 - 1 / mh) * msw * (1 - (N - n) / qchisq(.975, N - n)))^2)
  up <- tot + sqrt((s2d * ((n - 1) / qchisq(.025, n - 1) - 1))^2 + ((1 - 1 / mh) * msw * ((N - n) / qchisq(.025, N - n) - 1))^2)
  inner <- sqrt(z^2 * s2d / n + z^2 * (sqrt(tot) - sqrt(l))^2)
  outer <- sqrt(z^2 * s2d / n + z^2 * (sqrt(up) - sqrt(tot))^2)
  hi <- dbar + z * sqrt(tot); lo <- dbar - z * sqrt(tot)
  list(a = a, b = b, id = id, bias = dbar, sd = sqrt(tot), sd_ci = sqrt(c(l, up)),
       upper = hi, upper_ci = c(hi - inner, hi + outer), lower = lo, lower_ci = c(lo - outer, lo + inner),
       bias_ci = as.numeric(t.test(means)$conf.int))
}
cors <- function(seed, n, ties) {
  u <- matrix(lehmer(seed, 2 * n), ncol = 2, byrow = TRUE)
  x <- u[, 1] %% ties; y <- x + u[, 2] %% (2 * ties)
  p <- cor.test(x, y); s <- suppressWarnings(cor.test(x, y, method = "spearman", exact = FALSE))
  list(x = x, y = y, r = unname(p$estimate), ci = as.numeric(p$conf.int), p = p$p.value, t = unname(p$statistic),
       rho = unname(s$estimate), p_rho = s$p.value)
}
cat(toJSON(list(made_by = "Rscript agreement.R", r = R.version.string,
                psych = as.character(packageVersion("psych")), epiR = as.character(packageVersion("epiR")),
                icc = list(icc(3, 12, 3), icc(9, 40, 2), icc(21, 6, 5)),
                kappa = list(kappa(5, 80, 2), kappa(6, 60, 4), kappa(13, 300, 3)),
                limits = list(limits(4, 20), limits(8, 150)), repeated = list(repeated(31, 12), repeated(77, 60)),
                cor = list(cors(2, 15, 100), cors(7, 120, 6))), auto_unbox = TRUE, digits = 17, null = "null"))
