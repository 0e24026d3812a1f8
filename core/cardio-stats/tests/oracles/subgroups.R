# Oracle for effects in subgroups. Run: Rscript subgroups.R > subgroups.json
# glm in each subgroup with MASS's profile intervals (confint), anova for the interaction, pROC for AUCs and their variances.
suppressWarnings(suppressMessages({library(jsonlite); library(MASS); library(pROC)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
n <- 300; u <- matrix(lehmer(7, 5 * n), ncol = 5, byrow = TRUE)
d <- data.frame(x = u[, 1] %% 1000 / 100, arm = c("A", "B")[1 + u[, 2] %% 2], age = 40 + u[, 3] %% 45, sex = c("F", "M")[1 + u[, 4] %% 2])
d$y <- as.integer(u[, 5] %% 1000 < 200 + 40 * d$x * (d$sex == "M") + 150 * (d$arm == "B"))
d$band <- cut(d$age, c(-Inf, 55, 70, Inf), right = FALSE)
tight <- glm.control(epsilon = 1e-14, maxit = 100)
one <- function(g, f) { m <- glm(f, binomial, g, control = tight); ci <- suppressMessages(confint(m))
  list(n = nrow(g), events = sum(g$y), or = unname(exp(coef(m)[2])), low = unname(exp(ci[2, 1])), high = unname(exp(ci[2, 2]))) }
lrt <- function(a, b) { t <- anova(glm(a, binomial, d, control = tight), glm(b, binomial, d, control = tight), test = "LRT"); list(chi2 = t[2, "Deviance"], df = t[2, "Df"], p = t[2, 5]) }
area <- function(g) { r <- roc(g$y, g$x, direction = "<", quiet = TRUE); c(as.numeric(auc(r)), var(r)) }
equal <- function(by) { a <- sapply(split(d, by), area); w <- 1 / a[2, ]; q <- sum(w * (a[1, ] - sum(w * a[1, ]) / sum(w))^2)
  list(auc = a[1, ], chi2 = q, p = pchisq(q, ncol(a) - 1, lower.tail = FALSE)) }
cat(toJSON(list(made_by = "Rscript subgroups.R", r = R.version.string, MASS = as.character(packageVersion("MASS")), pROC = as.character(packageVersion("pROC")),
  sum_x = sum(d$x), events = sum(d$y), sd = sd(d$x), all = one(d, y ~ arm),
  arm_by_sex = lapply(split(d, d$sex), one, y ~ arm), arm_by_age = unname(lapply(split(d, d$band), one, y ~ arm)),
  x_by_sex = lapply(split(d, d$sex), one, y ~ I(x / sd(d$x))),
  test_arm_sex = lrt(y ~ arm + sex, y ~ arm * sex), test_arm_age = lrt(y ~ arm + band, y ~ arm * band), test_x_sex = lrt(y ~ x + sex, y ~ x * sex),
  auc_by_sex = equal(d$sex), auc_by_age = equal(d$band)), auto_unbox = TRUE, digits = 17))
