# YAML text to a tree of nodes, and from nodes to values (spec/yaml.md).
#
# The package yaml resolves scalars by rules of its own: `y` is TRUE, 3000000000 is NA. Handlers keep
# what was written, with the tag that yaml gave it, as "int\n12"; keys of mappings, which yaml makes
# by as.character(), included, so that a key which was no scalar shows.

IMPLICIT <- c(
  "int#hex", "int#oct", "int#base60", "int#na", "float#fix", "float#exp", "float#base60",
  "float#inf", "float#neginf", "float#nan", "float#na", "bool#yes", "bool#no", "bool#na", "str#na"
)
STRINGS <- c("str", "timestamp", "timestamp#iso8601", "timestamp#spaced", "timestamp#ymd")
SCALARS <- c(IMPLICIT, STRINGS, "null", "bool", "int", "float")

MOST_DEPTH <- 120
MOST_ADDED_BY_ALIASES <- 100000
MOST_DEPTH_OF_A_VALUE <- 100

# Parse the text of a file; give its top mapping, checked, or NULL when it is empty.
parse_yaml <- function(text) {
  refuse_documents(text)
  tree <- parse_nodes(text)
  marked <- mark(text)
  if (marked != text) {
    tree <- combine(tree, tryCatch(parse_nodes(marked), pipestat_error = function(e) NULL))
  }
  refuse_two_merge_keys(text)
  if (is.null(tree) || (is_scalar(tree) && tree$tag == "null")) return(NULL)
  if (!is_mapping(tree)) refuse("store", "the top is no mapping")
  check(tree)
  tree
}

# The package reads the first document and leaves the others. A line that begins with --- is a marker
# wherever it stands.
refuse_documents <- function(text) {
  rest <- sub("\\A\ufeff?((#|%)[^\n]*\n|[ \t\r]*\n)*---(?=\\s|\\z)", "", text, perl = TRUE)
  if (grepl("(?m)^---(?=\\s|\\z)", rest, perl = TRUE)) refuse("store", "more than one document")
}

parse_nodes <- function(text) {
  written <- 0
  scalar <- function(tag) {
    force(tag)
    function(text) {
      written <<- written + 1
      paste0(tag, "\n", text)
    }
  }
  collection <- function(kind) {
    force(kind)
    function(children) {
      written <<- written + 1
      nodes <- lapply(children, as_node)
      measure <- function(name, of_scalar) {
        vapply(nodes, function(node) attr(node, name) %||% of_scalar, 0)
      }
      structure(
        nodes,
        names = names(children),
        kind = kind,
        depth = 1 + max(0, measure("depth", 0)),
        size = 1 + length(names(children)) + sum(measure("size", 1))
      )
    }
  }
  handlers <- lapply(stats::setNames(nm = SCALARS), scalar)
  handlers$seq <- collection("seq")
  handlers$map <- collection("map")
  tree <- tryCatch(
    yaml::yaml.load(text, handlers = handlers, merge.precedence = "override"),
    warning = function(w) refuse("store", conditionMessage(w)),
    error = function(e) refuse("store", gsub("'[a-z0-9#]+\n", "'", conditionMessage(e)))
  )
  if (is.null(tree)) return(NULL)
  tree <- as_node(tree)
  # Before anything walks over the tree, which may be far larger than the memory it is in.
  if ((attr(tree, "size") %||% 1) - written > MOST_ADDED_BY_ALIASES) {
    refuse("store", "aliases add more than ", MOST_ADDED_BY_ALIASES, " nodes")
  }
  if ((attr(tree, "depth") %||% 0) > MOST_DEPTH) {
    refuse("store", "its depth is more than ", MOST_DEPTH)
  }
  named(tree)
}

# A scalar out of its code; collections are nodes already. What has another tag has no code, but `=`,
# which is a string (PS-YAML-024).
as_node <- function(child) {
  if (!is.character(child)) return(child)
  if (identical(child, "=")) child <- "str\n="
  code <- regmatches(child[1], regexpr("\n", child[1]), invert = TRUE)[[1]]
  if (length(code) != 2) code <- c("?", child[1])
  structure(list(tag = code[1], text = code[2]), class = "scalar")
}

# Take the codes off the keys.
named <- function(node) {
  node <- as_node(node)
  if (is_scalar(node)) return(node)
  if (!is.null(names(node))) {
    if (!all(grepl("\n", names(node), fixed = TRUE))) refuse("store", "a key is no scalar")
    names(node) <- sub("^[^\n]*\n", "", names(node))
  }
  node[] <- lapply(node, named)
  node
}

# What yaml drops is made visible: that a block scalar, or one with the tag !, is a string, and that a
# text holds U+0000. The marked text gives tags, the one that was written gives texts, so that it
# does no harm to mark what only looks like this.
NUL <- "\U10FFFF"

mark <- function(text) {
  block <- "(?m)(?<=[:?-])([ \t]+&\\S+)?[ \t]+(?=[|>][-+0-9]*[ \t]*(#.*)?\r?$)"
  text <- gsub(block, "\\1 !!str ", text, perl = TRUE)
  text <- gsub("(?m)(?<=[\\s\\[{,])!(?=\\s)", "!!str", text, perl = TRUE)
  gsub("(?<!\\\\)((?:\\\\\\\\)*)\\\\(0|x00|u0000|U00000000)", paste0("\\1", NUL), text, perl = TRUE)
}

combine <- function(node, marked) {
  if (is_scalar(node) && is_scalar(marked)) {
    cut <- startsWith(marked$text, paste0(node$text, NUL))
    node$tag <- if (cut) "nul" else marked$tag
  } else if (is.list(node) && length(node) == length(marked)) {
    node[] <- Map(combine, node, marked)
  }
  node
}

# It also takes a mapping with two merge keys. As quoted keys it refuses them.
refuse_two_merge_keys <- function(text) {
  quoted <- gsub("(?m)(^|[\\s{,])<<(?=[ \t]*:)", "\\1\"<<\"", text, perl = TRUE)
  if (quoted != text) parse_nodes(quoted)
}

is_scalar <- function(node) inherits(node, "scalar")
is_mapping <- function(node) identical(attr(node, "kind"), "map")
is_null <- function(node) is_scalar(node) && node$tag == "null"

# Refuse tags that are unknown, or that do not fit, and keys that are no scalars.
check <- function(node) {
  if (is_scalar(node)) {
    if (!node$tag %in% c(SCALARS, "nul")) refuse("store", "the tag of ", node$text, " is unknown")
    value <- tryCatch(resolve(node$text), pipestat_error = function(e) NaN)
    fits <- switch(node$tag,
      null = is.null(value),
      bool = is.logical(value),
      # Commas are the package's idea of an integer: such text had no tag.
      int = fits_int(value, node$text) || grepl(",", node$text),
      float = is.numeric(value) || !is.na(suppressWarnings(as.numeric(node$text))),
      TRUE
    )
    if (!fits) refuse("store", node$text, " does not fit its tag !!", node$tag)
    return(invisible())
  }
  kind <- attr(node, "kind")
  if (is.null(kind)) refuse("store", "the tag of a collection is unknown")
  if (kind == "seq" && !is.null(names(node))) refuse("store", "a mapping has the tag !!seq")
  if (kind == "map" && is.null(names(node))) refuse("store", "what has the tag !!map is no mapping")
  lapply(node, check)
  invisible()
}

fits_int <- function(value, text) {
  inherits(value, "big_integer") || (is.numeric(value) && !grepl(".", text, fixed = TRUE))
}

# The value of a node (PS-VAL-001); an error when it is outside the data model.
value_of <- function(node) {
  if (!is_scalar(node)) {
    if (attr(node, "depth") > MOST_DEPTH_OF_A_VALUE) {
      outside(paste("a depth of more than", MOST_DEPTH_OF_A_VALUE))
    }
    values <- lapply(node, value_of)
    return(if (is_mapping(node)) stats::setNames(values, names(node)) else values)
  }
  if (node$tag == "nul") outside("U+0000")
  if (node$tag %in% STRINGS) return(node$text)
  if (node$tag == "float") return(finite(as.numeric(gsub("_", "", node$text)), node$text))
  resolve(node$text)
}
