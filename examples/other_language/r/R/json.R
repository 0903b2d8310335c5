# Values of R as JSON (PS-VAL-014). jsonlite writes strings; what else R has is decided here.

# The JSON text of a value; `where` names it in errors.
to_json <- function(value, where = "value", depth = 1) {
  force(where)
  if (is.null(value)) return("null")
  value <- plain(value, where)
  if (is.list(value) || !is.null(names(value)) || length(value) != 1 || inherits(value, "AsIs")) {
    return(json_collection(value, where, depth))
  }
  if (inherits(value, "big_integer")) return(unclass(value))
  if (is.double(value) && is.nan(value)) refuse("validation", where, " is not a number")
  if (is.na(value)) return("null")
  switch(typeof(value),
    logical = if (value) "true" else "false",
    integer = format(value, scientific = FALSE),
    double = json_number(value, where),
    character = json_string(value, where)
  )
}

# Turn what R has classes for into plain vectors; refuse what has no counterpart.
plain <- function(value, where) {
  if (is.factor(value)) {
    value <- as.character(value)
  } else if (inherits(value, "POSIXt")) {
    value <- ifelse(is.na(value), NA, format_time(value))
  } else if (inherits(value, "Date")) {
    value <- format(value, "%Y-%m-%d")
  }
  known <- is.null(attr(value, "class")) || inherits(value, c("AsIs", "big_integer"))
  kinds <- c("logical", "integer", "double", "character", "list")
  if (!known || !typeof(value) %in% kinds || !is.null(dim(value))) {
    refuse("validation", where, " is a ", class(value)[1], ", which results cannot hold")
  }
  value
}

json_collection <- function(value, where, depth) {
  if (depth > 100) refuse("validation", where, " has a depth of more than 100")
  keys <- names(value)
  places <- if (is.null(keys)) paste0("[", seq_along(value), "]") else paste0("$", keys)
  inner <- lapply(seq_along(value), function(i) {
    to_json(value[[i]], paste0(where, places[i]), depth + 1)
  })
  if (is.null(keys)) return(paste0("[", paste(inner, collapse = ", "), "]"))
  if (anyDuplicated(keys) || anyNA(keys)) refuse("validation", where, " has a name twice, or NA")
  keys <- vapply(keys, json_string, "", where = where)
  paste0("{", paste0(keys, ": ", inner, recycle0 = TRUE, collapse = ", "), "}")
}

# A dot or an exponent tells a number from an integer. R has no integers from 2^31 on, so whole
# numbers of that size count as such (PS-VAL-007).
json_number <- function(value, where) {
  if (is.infinite(value)) refuse("validation", where, " is infinite")
  if (value == round(value) && abs(value) >= 2^31 && abs(value) <= 2^53) return(sprintf("%.0f", value))
  for (digits in 15:17) {
    text <- sprintf("%.*g", digits, value)
    if (as.numeric(text) == value) break
  }
  if (grepl("[.e]", text)) text else paste0(text, ".0")
}

json_string <- function(value, where) {
  text <- enc2utf8(value)
  if (!validUTF8(text)) refuse("validation", where, " is no valid text")
  as.character(jsonlite::toJSON(text, auto_unbox = TRUE))
}
