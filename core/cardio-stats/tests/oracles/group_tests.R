# Oracle for the comparison of groups. Run: Rscript group_tests.R > group_tests.json
# Needs jsonlite; t.test, oneway.test, chisq.test, fisher.test, wilcox.test are R's own (stats).
suppressWarnings(suppressMessages(library(jsonlite)))
set.seed(20240501)
samples <- list(
  small = list(x = round(rnorm(7, 12, 3), 2), y = round(rnorm(5, 10, 1), 2)),
  tied = list(x = rpois(30, 4), y = rpois(25, 3)),
  unequal = list(x = rnorm(40, 170, 20), y = rnorm(90, 160, 30)),
  large = list(x = rexp(300), y = rexp(250) * 1.2)
)
two_samples <- lapply(samples, function(s) {
  student <- t.test(s$x, s$y, var.equal = TRUE)
  welch <- t.test(s$x, s$y)
  rank <- suppressWarnings(wilcox.test(s$x, s$y))
  plain <- suppressWarnings(wilcox.test(s$x, s$y, correct = FALSE))
  list(x = s$x, y = s$y,
       student = list(t = student$statistic, p = student$p.value, low = student$conf.int[1],
                      high = student$conf.int[2], df = student$parameter),
       welch = list(t = welch$statistic, p = welch$p.value, low = welch$conf.int[1],
                    high = welch$conf.int[2], df = welch$parameter),
       wilcox = list(w = rank$statistic, p = rank$p.value, p_uncorrected = plain$p.value))
})
groups <- list(
  three = list(rnorm(8, 1), rnorm(12, 1.5, 2), rnorm(10, 2, .5)),
  four_tied = list(rpois(9, 2), rpois(9, 3), rpois(11, 4), rpois(14, 3))
)
k_samples <- lapply(groups, function(g) {
  d <- data.frame(y = unlist(g), g = factor(rep(seq_along(g), lengths(g))))
  fisher <- oneway.test(y ~ g, d, var.equal = TRUE)
  welch <- oneway.test(y ~ g, d)
  kw <- kruskal.test(y ~ g, d)
  list(samples = g,
       fisher = list(f = fisher$statistic, p = fisher$p.value),
       welch = list(f = welch$statistic, df2 = welch$parameter[[2]], p = welch$p.value),
       kruskal = list(h = kw$statistic, p = kw$p.value))
})
tables_2x2 <- list(c(37, 8, 51, 6), c(3, 42, 2, 55), c(0, 12, 5, 9), c(120, 380, 160, 340),
                   c(1, 1, 1, 2))
two_by_two <- lapply(tables_2x2, function(v) {
  m <- matrix(v, 2, byrow = TRUE)
  plain <- suppressWarnings(chisq.test(m, correct = FALSE))
  yates <- suppressWarnings(chisq.test(m, correct = TRUE))
  list(table = m, chi2 = plain$statistic, p = plain$p.value, chi2_yates = yates$statistic,
       p_yates = yates$p.value, p_fisher = fisher.test(m)$p.value,
       min_expected = min(plain$expected))
})
tables_rxc <- list(rbind(c(16, 21, 8), c(15, 35, 7)), rbind(c(3, 0, 4), c(1, 5, 2)),
                   rbind(c(2, 1), c(5, 0), c(1, 7), c(0, 6)), rbind(c(1, 9, 0, 3, 2), c(4, 3, 3, 0, 5)),
                   rbind(c(5, 1, 2), c(2, 6, 1), c(0, 3, 7)))
r_by_c <- lapply(tables_rxc, function(m) {
  plain <- suppressWarnings(chisq.test(m, correct = FALSE))
  list(table = m, chi2 = plain$statistic, p = plain$p.value, p_fisher = fisher.test(m)$p.value,
       min_expected = min(plain$expected))
})
cat(toJSON(list(
  made_by = "Rscript group_tests.R", r = R.version.string, jsonlite = as.character(packageVersion("jsonlite")),
  two_samples = two_samples, k_samples = k_samples, two_by_two = two_by_two, r_by_c = r_by_c
), digits = NA, auto_unbox = TRUE))
