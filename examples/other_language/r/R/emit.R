#' Write a report document
#'
#' A job that cannot reach the results file writes a document; `pipestat-spec ingest` takes it in.
#'
#' @param record Identifier of the record.
#' @param results A named list of values. A vector of one element is a scalar, with [I()] an array of
#'   one; longer vectors and lists are arrays, named ones objects. `NA` and `NULL` are null; dates,
#'   times and factors become text. `1200L` is an integer and `1200` a number. What JSON cannot say
#'   (`NaN`, `Inf`, matrices, functions) is an error.
#' @param status,status_message A status, such as `"completed"`, and a text for it.
#' @param namespace,level The namespace, and `"sample"` or `"project"`.
#' @param source A named list: which run made this, as `list(engine = "nextflow", attempt = 2L)`.
#' @param time When the results were made.
#' @param ... Further arguments, those of `report_document()`.
#' @param file Where to write, `*.pipestat.json`. The file appears when it is complete.
#' @return `report_document()`: the text of the document; `emit()`: the path of the file.
#' @examples
#' emit("patient1", list(reads = 1200L, rate = 0.93), status = "completed",
#'      file = file.path(tempdir(), "patient1.pipestat.json"))
#' @export
emit <- function(record, results = NULL, status = NULL, ..., file) {
  if (!grepl("\\.pipestat\\.json$", file)) refuse("validation", file, " does not end in .pipestat.json")
  text <- report_document(record, results, status, ...)
  partial <- tempfile(".partial-", dirname(file))
  on.exit(unlink(partial))
  writeBin(charToRaw(enc2utf8(paste0(text, "\n"))), partial)
  if (!file.rename(partial, file)) refuse("store", file, " cannot be written")
  invisible(file)
}

#' @rdname emit
#' @export
report_document <- function(record, results = NULL, status = NULL, status_message = NULL,
                            namespace = NULL, level = NULL, source = NULL, time = Sys.time()) {
  check_identifier(record)
  if (!is.null(namespace)) check_identifier(namespace, "a namespace")
  if (is.null(results) && is.null(status)) refuse("validation", "neither results nor a status is given")
  if (!is.null(results)) check_results(results)
  if (!is.null(status)) check_status(status)
  if (!is.null(status_message)) {
    if (is.null(status)) refuse("validation", "a status message needs a status")
    check_text(status_message, "the status message")
  }
  if (!is.null(source)) check_source(source)
  if (!is.null(level) && !level %in% c("sample", "project")) {
    refuse("validation", "the level is sample or project, not ", level)
  }
  document <- list(
    pipestat_report = "1.0", namespace = namespace, level = level, record_identifier = record,
    results = if (!is.null(results)) object(results), status = status, status_message = status_message,
    time = time, source = if (!is.null(source)) object(source)
  )
  to_json(Filter(Negate(is.null), document), "document", depth = -1)
}

# An empty list() is an object here.
object <- function(list) stats::setNames(list, names(list) %||% character())

check_results <- function(results) {
  if (!is.list(results) || is.object(results) || (length(results) > 0 && is.null(names(results)))) {
    refuse("validation", "results are a named list")
  }
  for (name in names(results)) {
    check_identifier(name, "the name of a result")
    if (name %in% RESERVED) refuse("validation", name, " is a reserved name")
  }
}

check_status <- function(status) {
  check_text(status, "the status")
  if (!whole(status, "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")) {
    refuse("validation", status, " is no status: letters, digits, _, . and -, at most 64")
  }
}

check_text <- function(text, what) {
  if (!is.character(text) || length(text) != 1 || is.na(text)) refuse("validation", what, " is no text")
}

SOURCE_TEXTS <- c("engine", "run", "rule", "process", "task", "pipeline_version")

check_source <- function(source) {
  if (!is.list(source) || (length(source) > 0 && is.null(names(source)))) {
    refuse("validation", "a source is a named list")
  }
  for (name in intersect(names(source), SOURCE_TEXTS)) check_text(source[[name]], paste("source", name))
  attempt <- source[["attempt"]]
  if (!is.null(attempt) && !(is.integer(attempt) && length(attempt) == 1 && attempt %in% 1:1e6)) {
    refuse("validation", "source attempt is an integer from 1")
  }
}
