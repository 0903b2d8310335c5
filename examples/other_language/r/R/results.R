# Records of a results file: where they stand, and what of them is what (spec/yaml.md).

RESERVED <- c(
  "meta", "record_identifier", "id", "status", "project_name", "pipeline_name", "sample_name",
  "pipestat_created_time", "pipestat_modified_time", "pipestat_extended_data"
)

#' Open a results file
#'
#' The file is read anew by each function that it is given to, so that what other programs wrote
#' meanwhile is there. It need not exist yet; then it has no records.
#'
#' @param path Path of a results file.
#' @param namespace The namespace (pipeline) whose records are meant. Not needed in a file that holds
#'   one namespace.
#' @param multi_pipelines Whether a file that holds only other namespaces is accepted.
#' @param flag_folder Where other programs, such as looper and pipestat, set a status by a flag.
#' @param statuses The statuses that there are.
#' @return A handle for [records()], [retrieve()], [describe()] and [record_history()]. What cannot be read is
#'   an error of class `pipestat_error`, whose field `code` is one of the specification's.
#' @examples
#' file <- system.file("extdata", "results.yaml", package = "pipestatr")
#' results <- open_results(file)
#' records(results)
#' retrieve(results, "patient1")
#' @export
open_results <- function(path, namespace = NULL, multi_pipelines = FALSE,
                         flag_folder = dirname(path), statuses = STATUSES) {
  results <- structure(class = "pipestat_results", list(
    path = path, namespace = namespace, multi_pipelines = multi_pipelines,
    flag_folder = flag_folder, statuses = statuses
  ))
  read_file(results)
  results
}

#' Read records one by one
#'
#' @param results What [open_results()] gave.
#' @param record Identifier of a record.
#' @param level `"sample"` or `"project"`.
#' @param names Names of results; all when `NULL`.
#' @return `records()`: the identifiers, ordered by code points. `retrieve()`: a named list of values,
#'   in which null is `NULL`, an array a list, an object a named list, and an integer beyond
#'   2^53 its digits (class `big_integer`). `describe()`: a list of status, its time and message, source and
#'   times, `NULL` where there is none. `record_history()`: for each result a named list from time to former
#'   value.
#' @name records
#' @export
records <- function(results, level = c("sample", "project")) {
  ordered(names(read_file(results)[[match.arg(level)]]))
}

#' @rdname records
#' @export
retrieve <- function(results, record, level = c("sample", "project"), names = NULL) {
  values <- read_record(results, record, match.arg(level))$values
  if (is.null(names)) return(values)
  values <- values[intersect(names, names(values))]
  if (length(values) == 0) refuse("not-found", record, " has no result ", toString(names))
  values
}

#' @rdname records
#' @export
describe <- function(results, record, level = c("sample", "project")) {
  read_record(results, record, match.arg(level))$about
}

#' @rdname records
#' @export
record_status <- function(results, record, level = c("sample", "project")) {
  check_identifier(record)
  file <- read_file(results)
  level <- match.arg(level)
  if (record %in% names(file[[level]])) {
    return(naming(results, decode(file, record, level))$about$status)
  }
  # Another program may set a status before there is a record (PS-YAML-039, PS-YAML-041).
  if (!record %in% c(names(file$sample), names(file$project))) file$flag(record)$status
}

#' @rdname records
#' @export
record_history <- function(results, record, level = c("sample", "project")) {
  read_record(results, record, match.arg(level))$history()
}

read_record <- function(results, record, level) {
  check_identifier(record)
  file <- read_file(results)
  if (!record %in% names(file[[level]])) {
    refuse("not-found", "there is no record ", record, " in ", results$path)
  }
  naming(results, decode(file, record, level))
}

# By code points (PS-ID-003), whatever the locale.
ordered <- function(names) sort(names %||% character(), method = "radix")

# Let errors name the file.
naming <- function(results, expression) {
  force(results)
  tryCatch(expression, pipestat_store = function(e) {
    refuse("store", results$path, ": ", conditionMessage(e))
  })
}

# The records of each level as nodes, the layout, and who asks for flags.
read_file <- function(results) naming(results, {
  # Before the results, so that a flag is not older than what is read after it (PS-YAML-038).
  flags <- read_flags(results)
  top <- parse_yaml(read_text(results$path))
  namespace <- find_namespace(names(top), results)
  found <- if (!is.null(namespace)) top[[namespace]]
  file <- c(find_levels(found, namespace), flag = function(record) {
    if (!is.null(namespace)) flag_of(flags, namespace, record, results$statuses)
  })
})

find_namespace <- function(names, results) {
  others <- grep("^_", names, invert = TRUE, value = TRUE)
  namespace <- results$namespace %||% if (length(others) == 1) others
  if (is.null(namespace) && length(others) > 1) {
    refuse("layout", results$path, " holds ", toString(others), "; say which is meant")
  }
  if (length(others) > 0 && !namespace %in% others && !results$multi_pipelines) {
    refuse("layout", results$path, " holds ", toString(others), ", not ", namespace)
  }
  namespace
}

find_levels <- function(found, namespace) {
  levels <- list(sample = list(), project = list(), layout = "records")
  if (is.null(found) || is_null(found)) return(levels)
  if (!is_mapping(found)) refuse("store", "namespace ", namespace, " is no mapping")
  if (has_levels(found)) {
    levels$layout <- "levels"
    for (level in names(found)) if (!is_null(found[[level]])) levels[[level]] <- found[[level]]
    return(levels)
  }
  for (record in names(found)) {
    if (!is_mapping(found[[record]]) && !is_null(found[[record]])) {
      refuse("store", "record ", record, " is no mapping")
    }
  }
  levels$sample <- found
  levels
}

# Whether a namespace has the layout `levels` (PS-YAML-002).
has_levels <- function(namespace) {
  level <- function(node) is_null(node) || (is_mapping(node) && all(vapply(node, is_mapping, NA)))
  length(namespace) > 0 &&
    all(names(namespace) %in% c("sample", "project")) &&
    all(vapply(namespace, level, NA))
}

read_text <- function(path) {
  if (!file.exists(path)) return("")
  bytes <- readBin(path, "raw", file.size(path))
  if (any(bytes == 0)) refuse("store", "it holds the byte 0")
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  if (!validUTF8(text)) refuse("store", "it is not UTF-8")
  text
}

check_identifier <- function(name, what = "a record identifier") {
  good <- is.character(name) && length(name) == 1 && !is.na(name) && validUTF8(enc2utf8(name)) &&
    nchar(name) %in% 1:255 && !grepl("[\\x00-\\x1f\\x7f-\\x9f]", enc2utf8(name), perl = TRUE)
  if (!good) refuse("validation", what, " has 1 to 255 characters, none of them a control character")
}

# One record: `values`, `about` (status, source, times), and `history`, a function, since a former
# value that cannot be read makes only the history unreadable.
decode <- function(file, record, level) {
  node <- file[[level]][[record]]
  if (is_null(node)) node <- list()
  meta <- node[["meta"]]
  if (is.null(meta) || is_null(meta)) {
    meta <- list()
  } else if (!is_mapping(meta)) {
    refuse("store", "meta of ", record, " is no mapping")
  }
  results <- node[!names(node) %in% RESERVED]
  left <- results[["history"]]
  if (file$layout == "levels" && "meta" %in% names(node) && is_left_history(left)) {
    results[["history"]] <- NULL
  } else {
    left <- NULL
  }
  value <- function(node, name) {
    tryCatch(value_of(node), pipestat_store = function(e) {
      refuse("store", name, " of ", record, ": ", conditionMessage(e))
    })
  }
  text <- function(key) {
    found <- meta[[key]]
    if (!is.null(found) && is_scalar(found) && found$tag %in% STRINGS) found$text
  }
  time <- function(key) time_that_counts(text(key), text(paste0("pipestat_", key, "_time")))
  status <- list(status = text("status"), time = NULL)
  if (!is.null(status$status)) status$time <- as_utc(text("status_time"))
  status <- status_that_counts("status" %in% names(meta), status, file$flag(record))
  list(
    values = stats::setNames(Map(value, results, names(results)), names(results) %||% character()),
    about = list(
      status = status$status,
      status_time = status$time,
      status_message = text("status_message"),
      source = if (is_map(meta[["source"]])) value(meta[["source"]], "source"),
      created = time("created"),
      modified = time("modified")
    ),
    history = function() former_values(meta, left, value)
  )
}

# That of the record, unless another program set one since by a flag (PS-YAML-038, PS-YAML-042).
status_that_counts <- function(known, own, flag) {
  if (is.null(flag)) return(own)
  since <- !is.null(own$time) && flag$time > parse_time(own$time) - 0.01
  if (known && !since) own else list(status = flag$status, time = format_time(flag$time))
}

# For each result its former values by time (PS-YAML-012); `left` is what pipestat leaves among the
# results (PS-YAML-015), where an entry in `meta` is stronger.
former_values <- function(meta, left, value) {
  kept <- meta[["history"]]
  if (!is_map(kept)) kept <- NULL
  precise <- meta[["history_times"]]
  found <- lapply(stats::setNames(nm = union(names(kept), names(left))), function(result) {
    entries <- Filter(Negate(is.null), list(kept[[result]], left[[result]]))
    entries <- do.call(c, lapply(Filter(is_map, entries), unclass_node))
    entries <- entries[!duplicated(names(entries))]
    times <- if (is_map(precise) && is_map(precise[[result]])) precise[[result]]
    by_time <- list()
    for (key in names(entries)) {
      beside <- times[[key]]
      time <- as_utc(if (!is.null(beside) && is_scalar(beside)) beside$text) %||% as_utc(key)
      if (is.null(time)) next
      while (time %in% names(by_time)) time <- format_time(parse_time(time) + 1e-6)
      by_time[time] <- list(value(entries[[key]], paste("a former value of", result)))
    }
    by_time
  })
  found[lengths(found) > 0]
}

is_map <- function(node) !is.null(node) && is_mapping(node)
unclass_node <- function(node) stats::setNames(node[seq_along(node)], names(node))

is_left_history <- function(node) {
  empty_text <- function(node) is_scalar(node) && node$tag == "str" && node$text == ""
  times <- function(node) {
    is_map(node) && length(node) > 0 && all(whole(names(node), LOCAL)) &&
      all(vapply(node, empty_text, NA))
  }
  is_map(node) && length(node) > 0 && all(vapply(node, times, NA))
}
