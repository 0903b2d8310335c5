# Errors carry one of the codes of PS-CAP-003 in their class: tryCatch(..., pipestat_store = ...).

refuse <- function(code, ...) {
  stop(structure(
    class = c(paste0("pipestat_", gsub("-", "_", code)), "pipestat_error", "error", "condition"),
    list(message = paste0(...), call = NULL, code = code)
  ))
}
