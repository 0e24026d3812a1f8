# Oracle for penalised logistic regression. Run: Rscript penalised.R > penalised.json
# The rows come from integers alone; the weight is chosen by cv.glmnet over given folds and a given grid.
suppressWarnings(suppressMessages({library(jsonlite); library(glmnet)}))
lehmer <- function(seed, n) {
  out <- numeric(n); x <- seed
  for (i in seq_len(n)) { x <- (16807 * x) %% 2147483647; out[i] <- x }
  out
}
make <- function(seed, n) {
  u <- matrix(lehmer(seed, 7 * n), ncol = 7, byrow = TRUE)
  x <- cbind(a = u[, 1] %% 1000 / 100, b = u[, 2] %% 500 / 10, c = u[, 3] %% 2, d = (u[, 1] %% 1000 + u[, 4] %% 600) / 50, e = u[, 5] %% 90, f = u[, 6] %% 7)
  list(x = x, y = as.integer(u[, 7] %% 1000 < 150 + u[, 1] %% 1000 / 3 + 200 * x[, "c"]))
}
one <- function(seed, n, alpha, name) {
  d <- make(seed, n); foldid <- (seq_len(n) - 1) %% 10 + 1
  p <- mean(d$y); s <- apply(d$x, 2, function(v) sqrt(mean((v - mean(v))^2)))
  top <- max(abs(crossprod(scale(d$x, TRUE, s), d$y - p)) / n)
  grid <- top * (if (name == "ridge") exp(seq(log(100), log(1e-3), length.out = 50)) else exp(seq(0, log(1e-3), length.out = 50)))
  f <- cv.glmnet(d$x, d$y, family = "binomial", alpha = alpha, foldid = foldid, lambda = grid, thresh = 1e-14, maxit = 1e7)
  list(penalty = name, seed = seed, n = n, events = sum(d$y), sum_x = sum(d$x), top = top, chosen = f$lambda.min,
       coef = as.numeric(coef(f, s = f$lambda.min)), weight = grid[30], coef_30 = as.numeric(coef(f$glmnet.fit, s = grid[30])))
}
cat(toJSON(list(made_by = "Rscript penalised.R", r = R.version.string, glmnet = as.character(packageVersion("glmnet")),
  cases = list(one(5, 200, 0, "ridge"), one(5, 200, 1, "lasso"), one(9, 90, 0, "ridge"), one(9, 90, 1, "lasso"))), digits = 12, auto_unbox = TRUE))
