# Flags: small files by which other programs set a status (spec/writers.md, Flags).

STATUSES <- c("running", "completed", "failed", "waiting", "partial")

# When each flag beside a results file was made. Links are the mirror that writers keep.
read_flags <- function(results) {
  names <- list.files(results$flag_folder, "\\.flag$", all.files = TRUE)
  paths <- file.path(results$flag_folder, names)
  regular <- Sys.readlink(paths) == "" & !dir.exists(paths)
  stats::setNames(file.mtime(paths), names)[regular & !is.na(regular)]
}

# The status that another program set for a record, and when; NULL without one. An identifier that is
# too long for a file name takes SHA-256, which base R does not have: its flags are not found.
flag_of <- function(flags, namespace, record, statuses) {
  if (length(flags) == 0) return(NULL)
  names <- paste0(file_name(namespace), "_", file_name(record), "_", statuses, ".flag")
  times <- flags[names]
  if (all(is.na(times))) return(NULL)
  latest <- which.max(times)
  list(status = statuses[latest], time = times[[latest]])
}

# An identifier as part of a file name (PS-ID-005).
file_name <- function(identifier) {
  escape <- function(character) paste0("%", toupper(as.character(charToRaw(character))), collapse = "")
  characters <- strsplit(enc2utf8(identifier), "")[[1]]
  escaped <- grepl("[/\\\\%:*?\"<>|\\x00-\\x1f\\x7f-\\x9f]", characters, perl = TRUE)
  escaped[1] <- escaped[1] || characters[1] == "."
  characters[escaped] <- vapply(characters[escaped], escape, "")
  paste(characters, collapse = "")
}
