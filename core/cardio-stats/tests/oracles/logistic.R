# Oracle for logistic regression. Run: Rscript logistic.R > logistic.json
# Needs jsonlite, brglm2 and MASS. The limits are roots of glm's deviance with an offset, because
# MASS::confint interpolates its profile; MASS's own limits are stored beside them.
suppressWarnings(suppressMessages({library(jsonlite); library(brglm2); library(MASS)}))
set.seed(77)
make <- function(n, p, b, scale = rep(1, p)) {
  x <- signif(matrix(rnorm(n * p), n) %*% diag(scale, p), 4)
  y <- rbinom(n, 1, plogis(drop(x %*% (b / scale)) - .3))
  d <- as.data.frame(x); names(d) <- paste0("x", seq_len(p)); d$y <- y; d
}
sets <- list(
  small = make(40, 2, c(.8, -.3)),
  wide_units = make(150, 3, c(.5, 0, -.7), c(1000, .001, 1)),
  many_rows = make(1000, 4, c(.2, .1, 0, -.4)),
  binary = data.frame(x1 = rep(c(1, 0), c(75, 28)),
                      y = c(rep(1, 54), rep(0, 21), rep(1, 15), rep(0, 13))),
  counts = {d <- make(120, 2, c(.3, .3)); d$x1 <- round(2 * d$x1); d}
)
root <- function(f, inside, step) {
  outside <- inside + step
  while (f(outside) < 0) outside <- outside + step
  uniroot(f, sort(c(inside, outside)), tol = 1e-13)$root
}
control <- glm.control(epsilon = 1e-14, maxit = 200)
ml <- lapply(sets, function(d) {
  features <- setdiff(names(d), "y")
  g <- glm(reformulate(features, "y"), binomial, d, control = control)
  X <- model.matrix(g)
  limits <- sapply(features, function(f) {
    j <- match(f, colnames(X)); se <- sqrt(vcov(g)[j, j])
    drop <- function(b) {
      held <- suppressWarnings(glm.fit(X[, -j, drop = FALSE], d$y, offset = b * X[, j],
                                       family = binomial(), control = control))
      held$deviance - deviance(g) - qchisq(.95, 1)
    }
    c(root(drop, coef(g)[j], -2 * se), root(drop, coef(g)[j], 2 * se))
  })
  s <- summary(g)$coefficients
  list(data = d, features = features, coef = s[, 1], se = s[, 2], p_wald = s[, 4],
       loglik = as.numeric(logLik(g)), null_loglik = -g$null.deviance / 2, aic = AIC(g),
       profile_low = unname(limits[1, ]), profile_high = unname(limits[2, ]),
       mass = unname(suppressMessages(confint(g))[-1, , drop = FALSE]))
})
penalised <- function(X, y) function(b) {
  eta <- drop(X %*% b); w <- exp(plogis(eta, log.p = TRUE) + plogis(-eta, log.p = TRUE))
  sum(y * eta - log1p(exp(-abs(eta))) - pmax(eta, 0)) +
    .5 * as.numeric(determinant(crossprod(X * sqrt(w)))$modulus)
}
firth <- function(d) {
  features <- setdiff(names(d), "y")
  f <- reformulate(features, "y")
  g <- glm(f, binomial, d, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 5000)
  X <- model.matrix(g); pl <- penalised(X, d$y); top <- pl(coef(g))
  held <- function(j, b, start) {
    g <- function(free) { beta <- numeric(ncol(X)); beta[j] <- b; beta[-j] <- free; -pl(beta) }
    for (i in 1:3) { o <- optim(start, g, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000)); start <- o$par }
    -o$value
  }
  limits <- sapply(features, function(name) {
    j <- match(name, colnames(X)); se <- sqrt(vcov(g)[j, j])
    drop <- function(b) 2 * (top - held(j, b, coef(g)[-j])) - qchisq(.95, 1)
    c(root(drop, coef(g)[j], -se), root(drop, coef(g)[j], se))
  })
  p <- sapply(features, function(name) {
    j <- match(name, colnames(X)); pchisq(2 * (top - held(j, 0, coef(g)[-j])), 1, lower.tail = FALSE)
  })
  list(data = d, features = features, coef = coef(g), se = sqrt(diag(vcov(g))), low = unname(limits[1, ]),
       high = unname(limits[2, ]), p = unname(p), penalised_loglik = top)
}
# sex2: urinary tract infection in 239 college women (Foxman et al.; Cytel, LogXact), the table that
# the documentation of logistf uses, here as counts of each pattern
a <- read.csv("sex2.csv")
sex2 <- a[rep(seq_len(nrow(a)), a$count), c("age", "oc", "vic", "vicl", "vis", "dia", "case")]
names(sex2)[7] <- "y"
data(endometrial)
endometrial <- data.frame(NV = endometrial$NV, PI = endometrial$PI, EH = endometrial$EH, y = endometrial$HG)
one <- data.frame(x1 = c(1:6, 9, 12), y = c(0, 0, 0, 0, 1, 1, 1, 1))
bias <- list(sex2 = firth(sex2), endometrial = firth(endometrial), separated = firth(one),
             small = firth(sets$small))
bias$sex2$data <- NULL
cat(toJSON(list(made_by = "Rscript logistic.R", r = R.version.string,
                brglm2 = as.character(packageVersion("brglm2")), MASS = as.character(packageVersion("MASS")),
                ml = ml, firth = bias),
           digits = NA, auto_unbox = TRUE, dataframe = "columns"))
