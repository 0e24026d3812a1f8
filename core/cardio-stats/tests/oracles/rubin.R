# Oracle for Rubin's rules: mice's pool() of a logistic and of a linear regression on given sets.
# Run: Rscript rubin.R > rubin.json  (needs mice and jsonlite; nhanes2 is the package's own table)
suppressWarnings(suppressMessages({library(jsonlite); library(mice)}))
imp <- mice(nhanes2, m = 5, seed = 3, print = FALSE)
sets <- complete(imp, "all")
sets <- lapply(sets, function(d) data.frame(old = as.integer(d$age == "60-99"), bmi = d$bmi, chl = d$chl, hyp = as.integer(d$hyp == "yes")))
logistic <- pool(with(imp, glm((hyp == "yes") ~ bmi + chl, family = binomial, epsilon = 1e-12)))
linear <- pool(with(imp, lm(chl ~ bmi + I(age == "60-99"))))
cat(toJSON(list(made_by = "Rscript rubin.R", r = R.version.string, mice = as.character(packageVersion("mice")),
  sets = unname(sets), printed = capture.output(print(logistic)),
  logistic = logistic$pooled, linear = linear$pooled,
  q = lapply(getfit(with(imp, lm(chl ~ bmi + I(age == "60-99")))), function(f) list(b = unname(coef(f)), v = unname(diag(vcov(f))))),
  summary = summary(logistic, conf.int = TRUE, exponentiate = TRUE)), digits = NA, auto_unbox = TRUE))
