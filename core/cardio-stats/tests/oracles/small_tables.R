# Oracle for HC3 limits by t, Fisher's simulated test, and standardised mean differences.
# Run: Rscript small_tables.R > small_tables.json  (needs jsonlite, sandwich, lmtest)
suppressWarnings(suppressMessages({library(jsonlite); library(sandwich); library(lmtest)}))
set.seed(3)
n <- 18
d <- data.frame(qrs_ms = round(rnorm(n, 160, 20)), male = rep(c(0, 1, 1), 6))
d$y <- rbinom(n, 1, plogis((d$qrs_ms - 160) / 15))
m <- lm(y ~ qrs_ms + male, d)
v <- vcovHC(m, type = "HC3")
ct <- coeftest(m, vcov. = v, df = n - 3); ci <- coefci(m, vcov. = v, df = n - 3)

# A table 1: a measurement, a two-valued column, one of three levels
k <- 60
t1 <- data.frame(arm = rep(c("OFF", "ON"), c(28, 32)), lvef = round(rnorm(k, 28, 6), 1),
                 dm = rbinom(k, 1, .4), nyha = sample(c("I", "II", "III"), k, TRUE))
t1$lvef[c(3, 40)] <- NA
split2 <- function(x) list(x[t1$arm == "OFF" & !is.na(x)], x[t1$arm == "ON" & !is.na(x)])
smd_mean <- function(a, b) abs(mean(a) - mean(b)) / sqrt((var(a) + var(b)) / 2)
smd_share <- function(p, q) abs(p - q) / sqrt((p * (1 - p) + q * (1 - q)) / 2)
# Yang and Dalton 2012 (as tableone's documentation writes it): levels but the first, with
# multinomial covariances p_k (1 - p_k) and -p_k p_l averaged over both groups
smd_levels <- function(a, b) {
  levels <- sort(unique(c(a, b)))
  p <- as.vector(prop.table(table(factor(a, levels))))[-1]
  q <- as.vector(prop.table(table(factor(b, levels))))[-1]
  s <- ((diag(p, length(p)) - p %o% p) + (diag(q, length(q)) - q %o% q)) / 2
  sqrt(as.numeric(t(p - q) %*% solve(s) %*% (p - q)))
}
l <- split2(t1$lvef); b <- split2(t1$dm); g <- split2(t1$nyha)
wide <- matrix(c(5, 1, 2, 6, 1, 4, 7, 3, 2, 1, 6, 2), 3)
cat(toJSON(list(made_by = "Rscript small_tables.R", r = R.version.string,
  sandwich = as.character(packageVersion("sandwich")), lmtest = as.character(packageVersion("lmtest")),
  hc3 = list(data = d, estimate = unname(ct[2:3, 1]), se = unname(ct[2:3, 2]), p = unname(ct[2:3, 4]),
             low = unname(ci[2:3, 1]), high = unname(ci[2:3, 2])),
  smd = list(data = t1, lvef = smd_mean(l[[1]], l[[2]]), dm = smd_share(mean(b[[1]]), mean(b[[2]])),
             nyha = smd_levels(g[[1]], g[[2]])),
  fisher = list(counts = wide, p = fisher.test(wide, workspace = 2e7)$p.value)),
  digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null"))
