#' Read results into a data frame
#'
#' @param path Path of a results file, or what [open_results()] gave.
#' @param namespace,level See [open_results()] and [records()].
#' @return `read_results()`: a row for each record, with `record_identifier`, `status` and a column
#'   for each result. A column is logical, integer, numeric or character where all of its values are
#'   of that kind, else a list (arrays, objects, mixed kinds). Integers beyond 2^53 make it one of
#'   digits. A null, and a result that was not reported, is `NA` (`NULL` in a list).
#'
#'   `read_records()`: the status, its time and message, the times and the source of each record.
#'
#'   `read_history()`: a row for each former value, ordered by record, result and time.
#'
#'   A record with a value that cannot be read is left out, with a warning that names it.
#' @examples
#' file <- system.file("extdata", "results.yaml", package = "pipestatr")
#' read_results(file)
#' read_history(file)
#' @export
read_results <- function(path, namespace = NULL, level = c("sample", "project")) {
  found <- read_all(path, namespace, match.arg(level))
  values <- lapply(found, `[[`, "values")
  names <- unique(unlist(lapply(values, names)))
  frame(c(
    list(record_identifier = names(found), status = texts(found, "status")),
    lapply(stats::setNames(nm = names), function(name) column(lapply(values, `[[`, name)))
  ))
}

#' @rdname read_results
#' @export
read_records <- function(path, namespace = NULL, level = c("sample", "project")) {
  found <- read_all(path, namespace, match.arg(level))
  frame(list(
    record_identifier = names(found),
    status = texts(found, "status"),
    status_time = parse_time(texts(found, "status_time")),
    status_message = texts(found, "status_message"),
    created = parse_time(texts(found, "created")),
    modified = parse_time(texts(found, "modified")),
    source = unname(lapply(found, function(record) record$about$source))
  ))
}

#' @rdname read_results
#' @export
read_history <- function(path, namespace = NULL, level = c("sample", "project")) {
  former <- lapply(read_all(path, namespace, match.arg(level)), `[[`, "history")
  per_result <- unlist(unname(former), recursive = FALSE)
  entries <- unlist(unname(per_result), recursive = FALSE)
  rows <- frame(list(
    record_identifier = rep(names(former), vapply(former, function(one) sum(lengths(one)), 0)),
    result = rep(names(per_result) %||% character(), lengths(per_result)),
    time = parse_time(names(entries) %||% character()),
    value = unname(entries) %||% list()
  ))
  rows[order(rows$record_identifier, rows$result, rows$time, method = "radix"), ]
}

# All records that can be read, by name.
read_all <- function(path, namespace, level) {
  results <- if (inherits(path, "pipestat_results")) path else open_results(path, namespace)
  if (!file.exists(results$path)) refuse("not-found", "there is no file ", results$path)
  file <- read_file(results)
  found <- stats::setNames(list(), character())
  for (record in ordered(names(file[[level]]))) {
    found[[record]] <- tryCatch({
      one <- decode(file, record, level)
      one$history <- one$history()
      one
    }, pipestat_store = function(e) {
      warning(results$path, ": ", conditionMessage(e), "; the record is left out", call. = FALSE)
      NULL
    })
  }
  found
}

frame <- function(columns) {
  structure(columns, class = "data.frame", row.names = .set_row_names(length(columns[[1]])))
}

texts <- function(found, name) {
  vapply(found, function(record) record$about[[name]] %||% NA_character_, "", USE.NAMES = FALSE)
}

# One column out of values, of which NULL is missing.
column <- function(values) {
  values <- unname(values)
  kinds <- unique(unlist(lapply(values, kind)))
  type <- switch(paste(sort(kinds), collapse = "+"),
    logical = NA, integer = NA_integer_, double = , "double+integer" = NA_real_,
    character = , big_integer = , "big_integer+integer" = NA_character_
  )
  if (is.null(type)) return(if (length(kinds) == 0) rep(NA, length(values)) else values)
  as_type <- function(value) if (is.null(value)) type else as.vector(unclass(value), typeof(type))
  vapply(values, as_type, type)
}

kind <- function(value) {
  if (is.null(value)) NULL else if (inherits(value, "big_integer")) "big_integer" else typeof(value)
}
