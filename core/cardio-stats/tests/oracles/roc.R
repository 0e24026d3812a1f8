# Oracle for intervals of AUCs, partial areas, rates at a fixed rate, ratios, thresholds, power and
# areas of several classes. Run in this folder: Rscript roc.R > roc.json
# Needs jsonlite and pROC. The rows are those of discrimination.R, from integers alone.
suppressWarnings(suppressMessages({library(jsonlite); library(pROC)}))
source_part <- readLines("discrimination.R")
eval(parse(text = source_part[seq_len(grep("^obuchowski", source_part) - 1)]))

placed <- function(d, score) {
  psi <- outer(d[[score]][d$y == 1], d[[score]][d$y == 0], function(x, z) (x > z) + .5 * (x == z))
  list(case = rowMeans(psi), control = colMeans(psi), area = mean(psi))
}
clustered_df <- function(d) {
  p <- placed(d, "a")
  own <- numeric(nrow(d))
  own[d$y == 1] <- (p$case - p$area) / sum(d$y == 1)
  own[d$y == 0] <- (p$control - p$area) / sum(d$y == 0)
  of_cluster <- tapply(own, d$cluster, sum)
  holds <- tapply(d$y, d$cluster, function(y) any(y == 1) + 2 * any(y == 0))
  k <- table(holds)
  v <- tapply(of_cluster^2, holds, sum) * k / pmax(k - 1, 1)
  sum(v)^2 / sum(v^2 / pmax(k - 1, 1))
}
intervals <- lapply(recipes, function(r) {
  d <- make(r); a <- placed(d, "a"); b <- placed(d, "b")
  welch <- t.test(a$case, a$control)        # its df is that of var/m + var/n
  area <- a$area; se <- welch$stderr; df <- unname(welch$parameter)
  t <- qlogis(area) * area * (1 - area) / se
  both <- t.test(a$case - b$case, a$control - b$control)
  paired_df <- unname(both$parameter); difference <- area - b$area
  list(df = df, t = t, p = 2 * pt(-abs(t), df), t_975 = qt(.975, df),
       logit = plogis(qlogis(area) + c(-1, 1) * qt(.975, df) * se / (area * (1 - area))),
       paired_df = paired_df, paired_p = 2 * pt(-abs(difference / both$stderr), paired_df),
       paired = pmin(pmax(difference + c(-1, 1) * qt(.975, paired_df) * both$stderr, -1), 1),
       clustered_df = if (r$n <= 1000) clustered_df(d) else NULL)
})
curve <- function(d, score) roc(d$y, d[[score]], direction = "<", levels = 0:1, quiet = TRUE)
parts <- lapply(recipes[c("ties", "medium", "rare")], function(r) {
  d <- make(r); one <- curve(d, "a"); set.seed(1)
  area <- function(...) suppressWarnings(as.numeric(auc(one, ...)))
  corrected <- function(...) { x <- area(..., partial.auc.correct = TRUE); if (is.na(x)) NULL else x }
  at <- function(x, input, ret) unname(coords(one, x, input = input, ret = ret, transpose = TRUE))
  best <- function(way) as.numeric(coords(one, "best", best.method = way, transpose = TRUE,
                                          ret = c("threshold", "specificity", "sensitivity")))
  ci <- function(...) suppressWarnings(as.numeric(ci.auc(one, boot.n = 10000, progress = "none", ...)))
  list(specificity_9_1 = area(partial.auc = c(1, .9)), specificity_9_1_corrected = corrected(partial.auc = c(1, .9)),
       sensitivity_8_1 = area(partial.auc = c(1, .8), partial.auc.focus = "se"),
       sensitivity_6_8_corrected = corrected(partial.auc = c(.8, .6), partial.auc.focus = "se"),
       ci_specificity_8_1 = ci(method = "bootstrap", reuse.auc = FALSE, partial.auc = c(1, .8))[c(1, 3)],
       sensitivity_at = at(c(.9, .8, .5), "specificity", "sensitivity"),
       specificity_at = at(c(.9, .8, .5), "sensitivity", "specificity"),
       ci_se = ci.se(one, c(.9, .5), boot.n = 10000, progress = "none")[, c(1, 3)],
       ci_sp = ci.sp(one, c(.9, .5), boot.n = 10000, progress = "none")[, c(1, 3)],
       topleft = best("closest.topleft"), youden = best("youden"))
})
# Simel's interval, as Hmisc has it, in its digits
printed <- capture.output(print(Hmisc::lrcum(c(670, 72), c(202, 9), c(74, 25), c(640, 137))))
binormal <- function(auc1, auc2, b, r, ...) {
  a <- qnorm(c(auc1, auc2)) * sqrt(1 + b^2)
  found <- power.roc.test(list(A1 = a[1], B1 = b, A2 = a[2], B2 = b, rn = r, ra = r, delta = auc1 - auc2), ...)
  list(power = found$power, ncases = found$ncases, ncontrols = found$ncontrols)
}
d <- make(recipes$rare)
power <- list(
  curves = lapply(list(power = list(), n = list(power = .9)), function(more) {
    found <- do.call(power.roc.test, c(list(curve(d, "a"), curve(d, "b")), more))
    list(power = found$power, ncases = found$ncases, ncontrols = found$ncontrols) }),
  binormal_power = binormal(.80, .72, 1, .5, ncases = 80, ncontrols = 120),
  binormal_n = binormal(.80, .72, 1, .5, power = .8, kappa = 1.5, sig.level = .05),
  unequal_spread_n = binormal(.85, .75, .7, .3, power = .9, kappa = 4, sig.level = .01))
u <- matrix(lehmer(97, 5 * 90), ncol = 5, byrow = TRUE)
several <- 1 + u[, 1] %% 3
own <- u[, 2:4] %% 10
own[cbind(1:90, several)] <- own[cbind(1:90, several)] + 3
colnames(own) <- c("I", "II", "III")
labels <- factor(colnames(own)[several])
multiclass <- list(all = as.numeric(multiclass.roc(labels, own, quiet = TRUE)$auc),
  two = lapply(list(c(1, 2), c(1, 3), c(2, 3)), function(k) { inside <- several %in% k
    mean(sapply(k, function(i) auc(roc(several[inside] == i, own[inside, i], direction = "<",
                                       levels = c(FALSE, TRUE))))) }))
cat(toJSON(list(made_by = "Rscript roc.R", r = R.version.string,
                pROC = as.character(packageVersion("pROC")), Hmisc = as.character(packageVersion("Hmisc")), intervals = intervals,
                parts = parts, likelihood_ratios = printed, power = power, multiclass = multiclass),
           auto_unbox = TRUE, digits = 17, null = "null"))
