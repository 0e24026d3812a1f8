# Random-effects summaries with base R, where metafor is not installed:
#   Rscript random_effects.R > random_effects.json
# The restricted likelihood is written with matrices and climbed by optimize(); nlme::lme with a fixed
# residual SD drops a term of it, and is no oracle. metafor's own page prints for these trials: tau^2
# 0.3132, I^2 92.22%, Q 152.2330, mean -0.7145, and se 0.1808 with test="knha".
# Trials: the thirteen of Colditz et al., JAMA 1994;271:698 (tuberculosis with and without BCG).
tpos <- c(4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27)
tneg <- c(119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886)
cpos <- c(11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29)
cneg <- c(128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825)
summed <- function(y, v) {
  deviance <- function(tau2) {
    V <- diag(v + tau2); X <- matrix(1, length(y), 1); W <- solve(V)
    b <- solve(t(X) %*% W %*% X, t(X) %*% W %*% y); r <- y - X %*% b
    as.numeric(determinant(V)$modulus + determinant(t(X) %*% W %*% X)$modulus + t(r) %*% W %*% r)
  }
  tau2 <- optimize(deviance, c(0, 10 * var(y)), tol = 1e-12)$minimum
  if (deviance(0) <= deviance(tau2)) tau2 <- 0
  w <- 1 / (v + tau2)
  mu <- sum(w * y) / sum(w)
  k <- length(y)
  factor <- sum(w * (y - mu)^2) / (k - 1)
  se <- sqrt(max(1, factor) / sum(w))
  half <- qt(.975, k - 1)
  beyond <- qt(.975, k - 2)
  f <- 1 / v
  q <- sum(f * (y - sum(f * y) / sum(f))^2)
  typical <- (k - 1) * sum(f) / (sum(f)^2 - sum(f^2))
  list(y = y, se = sqrt(v), mean = mu, tau2 = tau2, error = se,
       low = mu - half * se, high = mu + half * se,
       predicted_low = mu - beyond * sqrt(tau2 + se^2), predicted_high = mu + beyond * sqrt(tau2 + se^2),
       i2 = tau2 / (tau2 + typical), q = q, p = pchisq(q, k - 1, lower.tail = FALSE))
}
text <- function(x) paste0("[", paste(sprintf("%.10g", x), collapse = ", "), "]")
said <- function(name, one) {
  fields <- sapply(names(one), function(key)
    sprintf('"%s": %s', key, if (length(one[[key]]) > 1) text(one[[key]]) else sprintf("%.10g", one[[key]])))
  sprintf('  "%s": {%s}', name, paste(fields, collapse = ", "))
}
bcg <- summed(log(tpos / (tpos + tneg)) - log(cpos / (cpos + cneg)),
              1 / tpos - 1 / (tpos + tneg) + 1 / cpos - 1 / (cpos + cneg))
four <- summed(qlogis(c(.91, .84, .62, .88)), c(.35, .30, .42, .50)^2)
alike <- summed(qlogis(c(.80, .82, .81, .79, .83)), c(.30, .28, .40, .35, .33)^2)
cat("{\n", sprintf('  "made_with": "%s",\n', R.version.string),
    paste(said("bcg", bcg), said("four", four), said("alike", alike), sep = ",\n"), "\n}\n", sep = "")
