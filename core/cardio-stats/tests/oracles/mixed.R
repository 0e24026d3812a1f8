# Oracle for repeated measurements. Run: Rscript mixed.R > mixed.json
# lme4's lmer gives effects, errors and SDs, nlme's lme the degrees of freedom and p. Patients have 2 to 5 rows.
suppressWarnings(suppressMessages({library(jsonlite); library(lme4); library(nlme)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
u <- matrix(lehmer(5, 5 * 200), ncol = 5, byrow = TRUE)
who <- u[, 1] %% 40; month <- 3 * (u[, 2] %% 5)
noise <- (u[, 3] %% 1000 + u[, 4] %% 1000 + u[, 5] %% 1000) / 300
own <- (who * 7) %% 11; course <- (who * 5) %% 7
d <- data.frame(id = paste0("p", who), month = month, arm = c("A", "B", "C")[1 + who %% 3], y = 30 + own + month * (course + who %% 3) / 10 + noise)
one <- function(fixed, random, grouped) {
  m <- lmer(as.formula(paste(fixed, "+", random)), d, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12)))
  l <- lme(as.formula(fixed), d, random = grouped, control = lmeControl(opt = "optim", maxIter = 500, msMaxIter = 500, tolerance = 1e-10))
  v <- as.data.frame(VarCorr(m)); t <- summary(l)$tTable
  list(terms = names(fixef(m)), effect = unname(fixef(m)), se = unname(sqrt(diag(as.matrix(vcov(m))))), sd = v$sdcor, df = unname(t[, "DF"]), p = unname(t[, "p-value"]))
}
cat(toJSON(list(made_by = "Rscript mixed.R", r = R.version.string, lme4 = as.character(packageVersion("lme4")), nlme = as.character(packageVersion("nlme")),
  n_patients = length(unique(d$id)), sum_y = sum(d$y),
  intercept = one("y ~ month + arm + month:arm", "(1 | id)", ~1 | id), slope = one("y ~ month + arm", "(month | id)", ~month | id)), auto_unbox = TRUE, digits = 17))
