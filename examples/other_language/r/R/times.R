# Times of records and of former values (PS-REC-003, PS-YAML-011 to PS-YAML-013).

PRECISE <- "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z"
LOCAL <- "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"

format_time <- function(time) {
  # format() cuts fractions off, and 0.123456 may be a little less.
  micros <- floor(as.numeric(time) * 1e6 + 0.5)
  seconds <- as.POSIXct(micros %/% 1e6, origin = "1970-01-01", tz = "UTC")
  sprintf("%s.%06.0fZ", format(seconds, "%Y-%m-%dT%H:%M:%S"), micros %% 1e6)
}

# Seconds since 1970, of the text of a time in UTC.
parse_time <- function(text) {
  as.POSIXct(text, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
}

# A time in UTC out of either form, or NULL.
as_utc <- function(text) {
  if (!is.character(text)) return(NULL)
  if (whole(text, PRECISE) && !is.na(parse_time(text))) return(text)
  if (!whole(text, LOCAL)) return(NULL)
  time <- as.POSIXct(text, format = "%Y-%m-%d %H:%M:%S", tz = "")
  if (is.na(time)) NULL else format_time(time)
}

# The time that counts of a precise one and of the local one that pipestat keeps: pipestat changes
# its own and leaves the other, so the local one counts unless it is the other in some time zone.
time_that_counts <- function(precise, local) {
  precise_utc <- as_utc(precise)
  local_utc <- as_utc(local)
  if (is.null(precise_utc) || is.null(local_utc)) return(precise_utc %||% local_utc)
  face <- function(text) as.numeric(as.POSIXct(chartr("T", " ", substr(text, 1, 19)), tz = "UTC"))
  apart <- abs(face(local) - face(precise_utc))
  if (apart > 14 * 3600 || apart %% 900 != 0) local_utc else precise_utc
}
