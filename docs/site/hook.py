"""What MkDocs does otherwise here: the site has the files of the repository at their own paths.

So a link works in the site wherever it works in the repository. Pages are all Markdown files of
docs/ and spec/, and what these link to. Linked sources are shown as text.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_LINK = re.compile(r"\]\(([^)#\s]+)")
# Told to readers of the site only.
_SITE = re.compile(r"<!-- site: (.*?) -->", re.DOTALL)
# Markdown of the site sees a table only behind an empty line.
_COMMENT = re.compile(r"^(<!-- .* -->)\n(?=\S)", re.MULTILINE)
_NAMED = re.compile(r"\b((?:spec|docs)/[a-z-]+)\.md\b")
# A table needs no backslash there before a `|` in code.
_CODE = re.compile(r"(?<!`)`[^`\n]*`")
# Pages with nothing beside them in the navigation: the room is theirs.
_WIDE = {"README.md", "docs/gallery.md"}
_AS_THEY_ARE = {".md", ".png", ".svg", ".js", ".css", ".html", ".csv", ".xlsx"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give the theme's files, the repository's, and the gallery, which lies beside the site."""
    root = Path(config.config_file_path).parent
    todo = [*root.glob("docs/**/*.md"), *root.glob("spec/*.md"), root / "README.md"]
    todo += [*root.glob("docs/site/*.js"), *root.glob("docs/site/*.css")]
    found = {file.src_uri: file for file in files if file.src_dir != config.docs_dir}
    while todo:
        path = todo.pop()
        name = path.relative_to(root).as_posix()
        if name in found or not path.is_file():
            continue
        found[name] = _file(name, root, config)
        if path.suffix == ".md":
            links = _LINK.findall(path.read_text("utf-8"))
            todo += [(path.parent / link).resolve() for link in links if ":" not in link]
    gallery = Path(config.site_dir).parent / "gallery"
    for path in gallery.iterdir():
        found[f"gallery/{path.name}"] = _file(f"gallery/{path.name}", gallery.parent, config)
    return Files(found.values())


def _file(name: str, folder: Path, config: MkDocsConfig) -> File:
    path = Path(name)
    # MkDocs leaves out files whose name begins with a dot.
    hidden = path.name.startswith(".")
    return File(
        name,
        str(folder),
        config.site_dir,
        config.use_directory_urls,
        dest_uri=None if path.suffix in _AS_THEY_ARE else f"{name}.txt",
        inclusion=InclusionLevel.INCLUDED if hidden else InclusionLevel.UNDEFINED,
    )


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Return a page with links where a docstring names a document."""
    if not page.file.src_uri.startswith("docs/api/"):
        return html
    return _NAMED.sub(r'<a href="../../\1.html">\1.md</a>', html)


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page's text as the site needs it."""
    if page.file.src_uri in _WIDE:
        page.meta["hide"] = ["navigation"]
    text = _COMMENT.sub(r"\1\n\n", _SITE.sub(r"\1", markdown))
    return _CODE.sub(lambda code: code[0].replace(r"\|", "|"), text)
