# The JSON text of one value in a document.
written <- function(value) {
  text <- report_document("s1", list(v = value), time = NULL)
  sub('^.*"v": (.*)\\}\\}$', "\\1", text)
}

test_that("values are written as what they are", {
  expect_identical(written(NULL), "null")
  expect_identical(written(NA), "null")
  expect_identical(written(TRUE), "true")
  expect_identical(written(12L), "12")
  expect_identical(written(12), "12.0")
  expect_identical(written(3e9), "3000000000")
  expect_identical(written(2^53), "9007199254740992")
  expect_identical(written(-0.0), "-0.0")
  expect_identical(written(0.1), "0.1")
  expect_identical(written(0.1 + 0.2), "0.30000000000000004")
  expect_identical(written(5e-324), "4.94065645841247e-324")
  expect_identical(written(1e22), "1e+22")
  expect_identical(written("\u00e9\"\n"), '"\u00e9\\"\\n"')
  expect_identical(written(c(1.5, NA)), "[1.5, null]")
  expect_identical(written(I("x")), '["x"]')
  expect_identical(written(c(a = 1L, b = 2L)), '{"a": 1, "b": 2}')
  expect_identical(written(list()), "[]")
  expect_identical(written(setNames(list(), character())), "{}")
  expect_identical(written(factor("u")), '"u"')
  expect_identical(written(as.Date("2026-01-31")), '"2026-01-31"')
  expect_identical(written(as.POSIXct(0, origin = "1970-01-01")), '"1970-01-01T00:00:00.000000Z"')
  expect_identical(written(structure("9007199254740993", class = "big_integer")), "9007199254740993")
})

test_that("what JSON cannot say is refused", {
  for (value in list(NaN, Inf, c(1, -Inf), matrix(1:4, 2), mtcars, 1i, mean, as.raw(1), c(a = 1, a = 2))) {
    expect_error(written(value), class = "pipestat_validation")
  }
})

test_that("a depth of 100 is written, 101 refused", {
  deep <- function(depth) Reduce(function(value, i) list(value), seq_len(depth - 1), list())
  expect_identical(nchar(written(deep(100))), 200L)
  expect_error(written(deep(101)), class = "pipestat_validation")
})

test_that("wrong documents are refused", {
  expect_error(report_document("s1"), class = "pipestat_validation")
  expect_error(report_document("", status = "running"), class = "pipestat_validation")
  expect_error(report_document("s1", status = "running\n"), class = "pipestat_validation")
  expect_error(report_document("s1", list(id = 1)), class = "pipestat_validation")
  expect_error(report_document("s1", list(1)), class = "pipestat_validation")
  expect_error(report_document("s1", list(), status_message = "alone"), class = "pipestat_validation")
  expect_error(report_document("s1", list(), source = list(attempt = 0L)), class = "pipestat_validation")
})

test_that("a document is written to a file, which then is all there is", {
  folder <- tempfile()
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  file <- file.path(folder, "s1.pipestat.json")
  emit("s1", list(reads = 1200L), "completed", time = as.POSIXct(0, origin = "1970-01-01"), file = file)
  expect_identical(jsonlite::fromJSON(file), list(
    pipestat_report = "1.0", record_identifier = "s1", results = list(reads = 1200L),
    status = "completed", time = "1970-01-01T00:00:00.000000Z"
  ))
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "s1.pipestat.json")
  expect_error(emit("s1", status = "running", file = file.path(folder, "s1.json")), class = "pipestat_validation")
})
