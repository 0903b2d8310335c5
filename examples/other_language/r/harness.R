# Offers the package to the conformance tests: one JSON object per line on stdin and stdout.
#
#     pipestat-spec conformance run --exec 'Rscript harness.R'

library(pipestatr)

PROFILES <- c("reader", "emitter")
CAPABILITIES <- c("status", "status-times", "times", "history", "source", "project-level", "multi-namespace")

store <- NULL

open <- function(path, settings, schema) {
  if (grepl("{record_identifier}", path, fixed = TRUE)) stop_unsupported()
  namespace <- settings[["namespace"]]
  for (found in list(schema[["pipeline_name"]], schema[["properties"]][["pipeline_name"]])) {
    if (is.null(namespace)) namespace <- found
  }
  statuses <- if (is.null(settings[["status_schema"]])) schema[["status"]] else settings[["status_schema"]]
  folder <- if (is.null(settings[["flag_file_dir"]])) dirname(path) else settings[["flag_file_dir"]]
  store <<- open_results(
    path, namespace, isTRUE(settings[["multi_pipelines"]]), folder,
    if (is.null(statuses)) c("running", "completed", "failed", "waiting", "partial") else names(statuses)
  )
  project <<- if (is.null(settings[["project_name"]])) "project" else settings[["project_name"]]
}

# An operation that is not here is answered with `unsupported`.
operations <- list(
  records = function(level) I(records(store, level)),
  count = function(level) length(records(store, level)),
  retrieve = function(level, record = project, results = NULL) {
    retrieve(store, record, level, unlist(results))
  },
  value = function(level, record = project, result) retrieve(store, record, level, result)[[1]],
  describe = function(level, record = project) describe(store, record, level),
  get_status = function(level, record = project) record_status(store, record, level),
  history = function(level, record = project, result = NULL) {
    found <- record_history(store, record, level)
    object(if (is.null(result)) found else found[result])
  },
  emit = function(record, values = NULL, time = NULL, ...) {
    if (!is.null(time)) time <- moment(time)
    report_document(record, if (!is.null(values)) host_value(values), time = time, ...)
  }
)

# Arguments

moment <- function(text) {
  found <- as.POSIXct(sub("Z$", "", text), format = "%Y-%m-%dT%H:%M:%OS", tz = "UTC")
  if (is.na(found)) stop_validation("no time: ", text) else found
}

# What JSON cannot carry (PS-VAL-003, PS-VAL-004), integers as digits, and arrays of one.
host_value <- function(value) {
  if (is.list(value) && identical(names(value), "$nan")) return(NaN)
  if (is.list(value) && identical(names(value), "$inf")) return(Inf * value[[1]])
  if (is.list(value) && identical(names(value), "$surrogate")) stop_validation("half a character")
  if (is.list(value)) lapply(value, host_value) else value
}

# Answers

object <- function(list) {
  if (is.null(names(list))) names(list) <- character(length(list))
  lapply(list, function(value) value)
}

stop_unsupported <- function() {
  stop(structure(class = c("unsupported", "error", "condition"), list(message = "", call = NULL)))
}

stop_validation <- function(...) pipestatr:::refuse("validation", ...)

# R has no text with U+0000; jsonlite cuts it off.
holds_nul <- function(line) grepl("(?<!\\\\)(\\\\\\\\)*\\\\u0000", line, perl = TRUE)

answer <- function(request, line) {
  tryCatch(
    switch(if (holds_nul(line)) "nul" else request[["cmd"]],
      nul = stop_validation("U+0000"),
      hello = list(
        impl = list(
          name = "pipestatr", version = format(packageVersion("pipestatr")), language = "R"
        ),
        protocol = 1L, spec = "1.0", capabilities = I(CAPABILITIES), profiles = I(PROFILES)
      ),
      open = {
        open(request[["store"]][["path"]], request[["settings"]], request[["schema"]])
        list(ok = TRUE)
      },
      op = {
        operation <- operations[[request[["op"]]]]
        if (is.null(operation)) stop_unsupported()
        arguments <- request[["args"]]
        if (is.null(arguments[["level"]]) && request[["op"]] != "emit") arguments[["level"]] <- "sample"
        list(ok = TRUE, result = do.call(operation, arguments))
      }
    ),
    unsupported = function(e) list(unsupported = TRUE),
    pipestat_error = function(e) {
      list(error = list(code = e$code, message = conditionMessage(e)))
    }
  )
}

requests <- file("stdin", encoding = "UTF-8")
base::open(requests, "r")
repeat {
  line <- readLines(requests, n = 1, encoding = "UTF-8")
  if (length(line) == 0) break
  request <- jsonlite::fromJSON(line, simplifyVector = FALSE, bigint_as_char = TRUE)
  if (request[["cmd"]] == "bye") break
  cat(pipestatr:::to_json(c(list(seq = request[["seq"]]), answer(request, line)), depth = -5), "\n", sep = "")
  flush(stdout())
}
