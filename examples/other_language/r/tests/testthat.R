library(testthat)
library(pipestatr)

test_check("pipestatr")
