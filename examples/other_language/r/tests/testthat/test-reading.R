# A file of these lines, for as long as the tests run.
results_file <- function(...) {
  path <- tempfile(fileext = ".yaml")
  writeLines(c(...), path, useBytes = TRUE)
  path
}

# The results of the record s1 that this YAML holds.
values_of <- function(...) {
  retrieve(open_results(results_file("ns:", "  s1:", paste0("    ", c(...)))), "s1")
}

test_that("scalars are resolved by the table of the specification", {
  values <- values_of(
    "a: [no, y, 1e3, 08, 010, 12:30, 0:30, 2024-01-01, ~, -0.0, 1.0, 1, 3000000000]",
    "n: 1,5",
    "b: 9007199254740993",
    "c: 9007199254740992"
  )
  expected <- list(FALSE, "y", "1e3", "08", 8L, 750L, "0:30", "2024-01-01", NULL, -0.0, 1.0, 1L, 3e9)
  expect_identical(values$a, expected)
  expect_identical(1 / values$a[[10]], -Inf)
  expect_identical(values$n, "1,5")
  expect_identical(values$b, structure("9007199254740993", class = "big_integer"))
  expect_identical(values$c, 2^53)
})

test_that("quotes, blocks and tags say what a scalar is", {
  values <- values_of('a: "12"', "b: |-", "  12", "c: ! 12", "d: !!float 1e3", "e: !!str", 'f: !!int "7"')
  expect_identical(values, list(a = "12", b = "12", c = "12", d = 1000, e = "", f = 7L))
})

test_that("keys are text", {
  expect_named(values_of("no: 1", "~: 2", "1.50: 3", "y: 4"), c("no", "~", "1.50", "y"))
})

test_that("what is written out wins over what is merged, and the first merged over the others", {
  text <- "{_o: &o {a: 1, b: 1}, _t: &t {b: 2, c: 2}, ns: {s1: {<<: [*o, *t], a: 5}}}"
  values <- retrieve(open_results(results_file(text)), "s1")
  expect_identical(values[order(names(values))], list(a = 5L, b = 1L, c = 2L))
})

test_that("empty and nested collections keep their shape", {
  values <- values_of("a: []", "b: {}", "c: [[1]]", "d: {e: [{f: ~}]}")
  expect_identical(values$a, list())
  expect_identical(values$b, setNames(list(), character()))
  expect_identical(values$c, list(list(1L)))
  expect_identical(values$d, list(e = list(list(f = NULL))))
})

test_that("both layouts are read, in the order of code points", {
  of_records <- open_results(results_file("ns:", "  b: {n: 1}", "  \U1D49C: {}", "  \uFB00:"))
  expect_identical(records(of_records), c("b", "\uFB00", "\U1D49C"))
  of_levels <- open_results(results_file("ns:", "  project: {p: {n: 2}}", "  sample:"))
  expect_identical(records(of_levels), character())
  expect_identical(retrieve(of_levels, "p", "project"), list(n = 2L))
})

test_that("a value outside the data model refuses its record alone", {
  for (bad in c(".nan", "-.inf", "1180591620717411303424", "1.0e+400", '"\\0x"')) {
    path <- results_file("ns:", paste0("  bad: {rate: ", bad, ", reads: 5}"), "  good: {reads: 7}")
    results <- open_results(path)
    expect_error(retrieve(results, "bad", names = "reads"), class = "pipestat_store")
    expect_identical(retrieve(results, "good"), list(reads = 7L))
    expect_warning(frame <- read_results(path), "rate of bad")
    expect_identical(frame$record_identifier, "good")
  }
})

bomb <- c("ns: {}", "_0: &a0 [x, x]", sprintf("_%d: &a%d [*a%d, *a%d]", 1:40, 1:40, 0:39, 0:39))
texts <- list(
  "ns: {s1: {a: 1, a: 2}}", c("ns: {}", "---", "ns: {}"), "ns: {s1: {a: !!set {b}}}",
  "ns: {s1: {a: !!int 5.5}}", "ns: {s1: {[a]: 1}}", "ns: {s1: {{a: 1}: 1}}", "ns: {s1: {a: *x}}",
  "ns: {s1: &x {a: *x}}", "ns: {s1: {<<: {a: 1}, <<: {b: 1}}}", bomb,
  paste0("ns: {s1: {a: ", strrep("[", 130), strrep("]", 130), "}}"), "ns: {s1: 5}", "[ns]", "ns: \xff"
)
for (i in seq_along(texts)) {
  test_that(paste("refused: text", i), {
    text <- texts[[i]]
    expect_error(retrieve(open_results(results_file(text)), "s1"), class = "pipestat_store")
  })
}

test_that("other namespaces", {
  expect_error(open_results(results_file("other: {}"), "ns"), class = "pipestat_layout")
  expect_error(open_results(results_file("one: {}", "two: {}")), class = "pipestat_layout")
  expect_identical(records(open_results(results_file("other: {}"), "ns", multi_pipelines = TRUE)), character())
  expect_identical(records(open_results(tempfile())), character())
})

test_that("status, source and times", {
  results <- open_results(results_file(
    "ns:", "  s1:", "    meta:", "      status: failed", "      status_message: disk full",
    '      status_time: "2026-01-31T12:01:00.000000Z"',
    "      source: {attempt: 2}", '      created: "2026-01-31T12:00:00.123456Z"'
  ))
  expect_identical(describe(results, "s1"), list(
    status = "failed", status_time = "2026-01-31T12:01:00.000000Z", status_message = "disk full", source = list(attempt = 2L),
    created = "2026-01-31T12:00:00.123456Z", modified = NULL
  ))
  expect_identical(retrieve(results, "s1"), setNames(list(), character()))
  expect_error(retrieve(results, "unknown"), class = "pipestat_not_found")
  expect_error(retrieve(results, "s1", names = "n"), class = "pipestat_not_found")
  expect_error(retrieve(results, ""), class = "pipestat_validation")
})

test_that("history: precise times beside local ones, and what pipestat leaves", {
  results <- open_results(results_file(
    "ns:", "  sample:", "    s1:", '      history: {gone: {"2026-01-31 13:05:12": ""}}', "      meta:",
    "        history:",
    '          reads: {"2026-01-31 13:05:10": 1100, "2026-01-31T12:05:10.000001Z": 1150, later: 5}',
    "        history_times:",
    '          reads: {"2026-01-31 13:05:10": "2026-01-31T12:05:10.000001Z"}'
  ))
  found <- record_history(results, "s1")
  expect_identical(
    found$reads,
    list("2026-01-31T12:05:10.000001Z" = 1100L, "2026-01-31T12:05:10.000002Z" = 1150L)
  )
  expect_identical(unname(found$gone), list(""))
  expect_length(retrieve(results, "s1"), 0)
})

test_that("a flag that another program made since is the status", {
  path <- results_file(
    "ns:", "  a/b: {meta: {status: running, status_time: \"2026-01-31T12:00:00.000000Z\"}}", "  s1: {n: 1}"
  )
  folder <- tempfile()
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  flag <- function(name, time) {
    file.create(file.path(folder, name))
    Sys.setFileTime(file.path(folder, name), as.POSIXct(time, tz = "UTC"))
  }
  results <- open_results(path, flag_folder = folder)
  flag("ns_a%2Fb_failed.flag", "2026-01-31 11:59:00")
  expect_identical(record_status(results, "a/b"), "running")
  flag("ns_a%2Fb_completed.flag", "2026-01-31 12:01:00")
  expect_identical(record_status(results, "a/b"), "completed")
  expect_identical(describe(results, "a/b")$status_time, "2026-01-31T12:01:00.000000Z")
  expect_null(record_status(results, "s1"))
  flag("ns_s1_waiting.flag", "2026-01-31 12:01:00")
  flag("ns_s2_waiting.flag", "2026-01-31 12:01:00")
  file.symlink(path, file.path(folder, "ns_s3_waiting.flag"))
  expect_identical(read_results(results)$status, c("completed", "waiting"))
  expect_identical(record_status(results, "s2"), "waiting")
  expect_null(record_status(results, "s3"))
})
