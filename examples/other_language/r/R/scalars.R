# From the text of a YAML scalar to a value (PS-YAML-022), and what R can hold of it.
#
#   null     NULL         integer  integer; double from 2^31 on; its digits (class big_integer) beyond 2^53
#   boolean  logical      number   double
#   string   character    array    list              object   named list

NULLS <- c("", "~", "null", "Null", "NULL")
TRUES <- c("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
FALSES <- c("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")

`%||%` <- function(x, y) if (is.null(x)) y else x

whole <- function(text, pattern) grepl(paste0("\\A(?:", pattern, ")\\z"), text, perl = TRUE)

# The value of a plain scalar. What is outside the data model gives an error.
resolve <- function(text) {
  if (text %in% NULLS) return(NULL)
  if (text %in% TRUES) return(TRUE)
  if (text %in% FALSES) return(FALSE)
  digits <- gsub("_", "", text)
  if (whole(text, "[-+]?0b[01_]+")) return(positional(digits, "0b", 2))
  if (whole(text, "[-+]?0x[0-9A-Fa-f_]+")) return(positional(digits, "0x", 16))
  if (whole(text, "[-+]?0[0-7_]+")) return(positional(digits, "0", 8))
  if (whole(text, "[-+]?(0|[1-9][0-9_]*)")) return(decimal(digits))
  if (whole(text, "[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+")) return(exact(sexagesimal(digits), text))
  if (whole(text, "[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?|\\.[0-9][0-9_]*([eE][-+][0-9]+)?")) {
    return(finite(as.numeric(digits), text))
  }
  if (whole(text, "[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*")) {
    return(finite(sexagesimal(digits), text))
  }
  if (whole(text, "[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)")) outside(text)
  text
}

outside <- function(text) refuse("store", text, " is outside the data model")

finite <- function(number, text) if (is.finite(number)) number else outside(text)

# An integer in decimal digits, exact to the last (PS-VAL-002, PS-VAL-007).
decimal <- function(text) {
  digits <- sub("^0+(?=.)", "", sub("^[-+]", "", text), perl = TRUE)
  negative <- startsWith(text, "-")
  limit <- if (negative) "9223372036854775808" else "9223372036854775807"
  if (nchar(digits) > 19 || (nchar(digits) == 19 && greater(digits, limit))) outside(text)
  number <- as.numeric(text)
  if (sprintf("%.0f", abs(number)) == digits && abs(number) <= 2^53) return(exact(number, text))
  structure(paste0(if (negative) "-", digits), class = "big_integer")
}

# Whether digits are a larger number than others of the same length, in any locale.
greater <- function(digits, others) {
  difference <- utf8ToInt(digits) - utf8ToInt(others)
  c(difference[difference != 0], 0)[1] > 0
}

positional <- function(text, prefix, base) {
  negative <- startsWith(text, "-")
  digits <- sub(paste0("^[-+]?", prefix), "", text)
  if (digits == "") outside(text)
  values <- strtoi(strsplit(digits, "")[[1]], base)
  number <- Reduce(function(sum, digit) sum * base + digit, values, 0)
  exact(if (negative) -number else number, text)
}

sexagesimal <- function(text) {
  parts <- as.numeric(strsplit(sub("^[-+]", "", text), ":")[[1]])
  number <- Reduce(function(sum, part) sum * 60 + part, parts)
  if (startsWith(text, "-")) -number else number
}

exact <- function(number, text) {
  if (abs(number) > 2^53) outside(text)
  if (abs(number) < 2^31) as.integer(number) else number
}
