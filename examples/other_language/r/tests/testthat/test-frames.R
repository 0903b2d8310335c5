example <- system.file("extdata", "results.yaml", package = "pipestatr")

test_that("columns have the types of their results", {
  frame <- read_results(example)
  expect_identical(frame$record_identifier, paste0("patient", 1:4))
  expect_identical(frame$status, c("completed", "completed", "failed", "running"))
  expect_identical(frame$reads, c(48210345L, 28873210L, 1203377L, NA))
  expect_identical(frame$rate, c(0.931, 0.874, 0.412, NA))
  expect_identical(frame$passed, c(TRUE, TRUE, FALSE, NA))
  expect_identical(frame$plot[[1]], list(path = "plots/patient1.png", title = "Coverage"))
  expect_null(frame$plot[[2]])
})

test_that("mixed kinds are a list, integers and numbers are numbers, large integers digits", {
  path <- tempfile()
  on.exit(unlink(path))
  writeLines(c(
    "ns:", "  s1: {a: 1, b: 1, c: 1, d: ~}", "  s2: {a: x, b: 1.5, c: 9007199254740993}"
  ), path)
  frame <- read_results(path)
  expect_identical(frame$a, list(1L, "x"))
  expect_identical(frame$b, c(1, 1.5))
  expect_identical(frame$c, c("1", "9007199254740993"))
  expect_identical(frame$d, c(NA, NA))
})

test_that("records and their history", {
  about <- read_records(example)
  expect_identical(about$status_message, c(NA, NA, "too few reads", NA))
  expect_equal(as.numeric(about$created[1]), 1769860800.123456, tolerance = 1e-15)
  former <- read_history(example)
  expect_identical(former$record_identifier, c("patient1", "patient1"))
  expect_identical(former$value, list(0.917, 0.925))
})

test_that("no records give an empty frame, no file an error", {
  path <- tempfile()
  on.exit(unlink(path))
  file.create(path)
  expect_identical(dim(read_results(path)), c(0L, 2L))
  expect_identical(nrow(read_history(path)), 0L)
  expect_error(read_results(tempfile()), class = "pipestat_not_found")
})
