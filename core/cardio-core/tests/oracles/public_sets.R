# Public tables of R through its own functions. Run: Rscript public_sets.R > public_sets.json
# With a folder, Rscript public_sets.R FOLDER, it writes the tables there as CSV instead, for the tests that read them:
# pbc (survival), birthwt (MASS), sleepstudy (lme4), Orthodont (nlme). They are not kept in this repository.
suppressWarnings(suppressMessages({library(survival); library(MASS)}))
b <- birthwt
train <- seq_len(nrow(b)) %% 2 == 1
half <- glm(low ~ age + lwt + factor(race) + smoke + ht + ui, binomial, b[train, ])
b$risk <- round(as.numeric(predict(half, b, type = "response")), 6); tested <- b[!train, ]
p <- pbc; p$log_bili <- log(p$bili); p$log_protime <- log(p$protime)
folder <- commandArgs(trailingOnly = TRUE)
if (length(folder)) {
  put <- function(d, name) write.csv(d, file.path(folder, name), row.names = FALSE, na = "")
  put(b, "birthwt.csv"); put(tested, "birthwt_tested.csv"); put(p, "pbc.csv")
  put(lme4::sleepstudy, "sleepstudy.csv"); put(as.data.frame(nlme::Orthodont), "Orthodont.csv")
  quit(save = "no")
}
suppressWarnings(suppressMessages({library(jsonlite); library(rms); library(riskRegression); library(lme4); library(nlme)}))
tight <- glm.control(epsilon = 1e-14, maxit = 100)
welch <- function(f, d) { t <- t.test(f, d); list(mean = unname(t$estimate), p = t$p.value) }
chi <- function(a, g) { t <- suppressWarnings(chisq.test(table(a, g), correct = FALSE)); list(chi2 = unname(t$statistic), p = t$p.value) }
logit <- function(f, d) { m <- glm(f, binomial, d, control = tight); ci <- suppressMessages(confint(m)); s <- summary(m)$coefficients
  lr <- drop1(m, test = "LRT"); keep <- -1
  list(n = nrow(model.frame(m)), terms = rownames(s)[keep], or = unname(exp(s[keep, 1])), low = unname(exp(ci[keep, 1])), high = unname(exp(ci[keep, 2])),
       p_wald = unname(s[keep, 4]), lr = m$null.deviance - m$deviance, aic = m$aic, p_lr = lr[-1, "Pr(>Chi)"]) }
v <- val.prob(tested$risk, tested$low, pl = FALSE)
cox <- coxph(Surv(time, status == 2) ~ age + edema + log_bili + albumin + log_protime, p); s <- summary(cox); z <- cox.zph(cox)$table
arms <- p[!is.na(p$trt), ]; km <- survfit(Surv(time, status == 2) ~ trt, arms, conf.type = "log-log"); q <- quantile(km, .5); at <- summary(km, times = 1825)
agree <- function(w) { k <- concordance(Surv(time, status == 2) ~ bili, p, timewt = w, reverse = TRUE); list(value = unname(k$concordance), se = sqrt(k$var)) }
p$died <- as.integer(p$status == 2); sc <- Score(list(m = p$bili), formula = Surv(time, died) ~ 1, data = p, times = c(365, 1825), metrics = "auc")$AUC$score
mixed <- function(m) { d <- as.data.frame(VarCorr(m)); list(effect = unname(fixef(m)), se = unname(sqrt(diag(as.matrix(vcov(m))))), sd = d$sdcor) }
ortho <- as.data.frame(Orthodont); l <- summary(lme(distance ~ age * Sex, ortho, random = ~1 | Subject))$tTable
out <- list(made_by = "Rscript public_sets.R", r = R.version.string, survival = as.character(packageVersion("survival")), MASS = as.character(packageVersion("MASS")),
  rms = as.character(packageVersion("rms")), pROC = as.character(packageVersion("pROC")), riskRegression = as.character(packageVersion("riskRegression")), lme4 = as.character(packageVersion("lme4")), nlme = as.character(packageVersion("nlme")),
  birthwt = list(age = welch(age ~ low, b), lwt = welch(lwt ~ low, b), race = chi(b$race, b$low), smoke = chi(b$smoke, b$low), ht = fisher.test(table(b$ht, b$low))$p.value,
    alone = lapply(list(age = low ~ age, lwt = low ~ lwt, race = low ~ factor(race), smoke = low ~ smoke), logit, b),
    together = logit(low ~ age + lwt + factor(race) + smoke + ptl + ht + ui, b),
    calibration = list(n = nrow(tested), slope = unname(v["Slope"]), brier = unname(v["Brier"]), c_val_prob = unname(v["C (ROC)"]), auc = as.numeric(pROC::auc(tested$low, tested$risk, quiet = TRUE)),
      in_the_large = unname(coef(glm(low ~ offset(qlogis(risk)), binomial, tested, control = tight))))),
  pbc = list(age = welch(age ~ trt, arms), bili = welch(bili ~ trt, arms), sex = chi(arms$sex, arms$trt), stage = chi(arms$stage, arms$trt),
    alone = lapply(list(bili = died ~ bili, albumin = died ~ albumin, protime = died ~ protime), logit, p),
    together = logit(died ~ age + edema + bili + albumin + protime, p),
    n = at$n, events = as.integer(tapply(arms$status == 2, arms$trt, sum)), median = as.numeric(q$quantile), median_low = as.numeric(q$lower), median_high = as.numeric(q$upper),
    survival_1825 = at$surv, low_1825 = at$lower, high_1825 = at$upper, at_risk_1825 = at$n.risk, log_rank = survdiff(Surv(time, status == 2) ~ trt, arms)$chisq,
    hr = unname(s$conf.int[, 1]), hr_low = unname(s$conf.int[, 3]), hr_high = unname(s$conf.int[, 4]), hr_p = unname(s$coefficients[, 5]), lr = unname(s$logtest[1]), c = unname(s$concordance),
    zph = unname(z[, "chisq"]), zph_p = unname(z[, "p"]), harrell = agree("n"), uno = agree("n/G2"), auc = sc$AUC, auc_se = sc$se),
  sleepstudy = list(intercept = mixed(lmer(Reaction ~ Days + (1 | Subject), sleepstudy)), slope = mixed(lmer(Reaction ~ Days + (Days | Subject), sleepstudy))),
  orthodont = list(value = unname(l[, "Value"]), se = unname(l[, "Std.Error"]), df = unname(l[, "DF"]), p = unname(l[, "p-value"])))
cat(toJSON(out, auto_unbox = TRUE, digits = I(7), na = "null"))
