# Oracle for AUCs, their covariances and tests. Run: Rscript discrimination.R > discrimination.json
# Needs jsonlite and pROC. The data follow from integers alone (Lehmer's generator, exact in
# doubles), so that the tests make the same rows without storing them. Obuchowski's covariance is
# written out from Biometrics 1997;53:567 over all pairs.
suppressWarnings(suppressMessages({library(jsonlite); library(pROC)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(r) {
  u <- matrix(lehmer(r$seed, 4 * r$n), ncol = 4, byrow = TRUE)
  y <- as.integer(u[, 1] %% 1000 < r$per_mille)
  cluster <- u[, 4] %% r$n_clusters
  effect <- r$cluster_weight * (cluster %% 7)
  common <- u[, 2] %% r$spread
  data.frame(y = y, cluster = cluster, a = common + effect + r$shift_a * y,
             b = common + effect + u[, 3] %% r$spread + r$shift_b * y)
}
recipes <- list(
  small     = list(n = 14, seed = 5, per_mille = 450, spread = 1000, shift_a = 400, shift_b = 700, n_clusters = 7, cluster_weight = 50),
  ties      = list(n = 60, seed = 17, per_mille = 400, spread = 4, shift_a = 1, shift_b = 2, n_clusters = 12, cluster_weight = 1),
  medium    = list(n = 200, seed = 29, per_mille = 500, spread = 100000, shift_a = 30000, shift_b = 20000, n_clusters = 40, cluster_weight = 5000),
  rare      = list(n = 500, seed = 41, per_mille = 50, spread = 1000, shift_a = 500, shift_b = 400, n_clusters = 90, cluster_weight = 100),
  below_half = list(n = 150, seed = 53, per_mille = 350, spread = 1000, shift_a = -300, shift_b = 200, n_clusters = 30, cluster_weight = 40),
  large     = list(n = 20000, seed = 71, per_mille = 300, spread = 5000, shift_a = 1500, shift_b = 1800, n_clusters = 800, cluster_weight = 300)
)
obuchowski <- function(d) {
  pos <- d[d$y == 1, ]; neg <- d[d$y == 0, ]; M <- nrow(pos); N <- nrow(neg)
  ids <- unique(d$cluster); I <- length(ids)
  psi <- lapply(c("a", "b"), function(s) outer(pos[[s]], neg[[s]], ">") + .5 * outer(pos[[s]], neg[[s]], "=="))
  theta <- sapply(psi, mean)
  i10 <- length(unique(pos$cluster)); i01 <- length(unique(neg$cluster))
  x <- sapply(1:2, function(k) sapply(ids, function(i) { r <- pos$cluster == i; sum(rowMeans(psi[[k]])[r]) - sum(r) * theta[k] }))
  y <- sapply(1:2, function(k) sapply(ids, function(i) { r <- neg$cluster == i; sum(colMeans(psi[[k]])[r]) - sum(r) * theta[k] }))
  s10 <- i10 / ((i10 - 1) * M) * crossprod(x)
  s01 <- i01 / ((i01 - 1) * N) * crossprod(y)
  s11 <- I / (I - 1) * crossprod(x, y)
  s10 / M + s01 / N + (s11 + t(s11)) / (M * N)
}
result <- lapply(names(recipes), function(name) {
  r <- recipes[[name]]; d <- make(r)
  one <- roc(d$y, d$a, direction = "<", levels = 0:1, quiet = TRUE)
  two <- roc(d$y, d$b, direction = "<", levels = 0:1, quiet = TRUE)
  paired <- roc.test(one, two, method = "delong", paired = TRUE)
  half <- d$cluster %% 2 == 0
  first <- roc(d$y[half], d$a[half], direction = "<", levels = 0:1, quiet = TRUE)
  second <- roc(d$y[!half], d$b[!half], direction = "<", levels = 0:1, quiet = TRUE)
  unpaired <- roc.test(first, second, method = "delong", paired = FALSE)
  list(recipe = r, n_positive = sum(d$y), sum_a = sum(d$a), sum_b = sum(d$b),
       auc = c(one$auc, two$auc), var = c(var(one), var(two)), cov = cov(one, two),
       ci_a = as.numeric(ci.auc(one))[c(1, 3)], ci_a_90 = as.numeric(ci.auc(one, conf.level = .9))[c(1, 3)],
       paired = list(z = unname(paired$statistic), p = paired$p.value, ci = as.numeric(paired$conf.int)),
       unpaired = list(t = unname(unpaired$statistic), df = unname(unpaired$parameter), p = unpaired$p.value,
                       ci = as.numeric(unpaired$conf.int)),
       obuchowski = if (r$n <= 1000) obuchowski(d) else NULL)
})
names(result) <- names(recipes)
cat(toJSON(list(made_by = "Rscript discrimination.R", r = R.version.string,
                pROC = as.character(packageVersion("pROC")), sets = result),
           auto_unbox = TRUE, digits = 17, null = "null"))
