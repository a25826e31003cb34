"""The site: ``sphinx-build --fail-on-warning --keep-going docs docs/_build``."""

import pkgutil
import re
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import course_domain
from course_domain import Rule

project = "course_domain"
release = version = installed_version("course-domain")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"course_domain {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}

autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 120
python_display_short_literal_types = True
python_use_unqualified_type_names = True

nitpicky = True
# What others document, a parameter of types, and what stands behind the clauses of the kit.
nitpick_ignore_regex = [
    ("py:.*", r"(_pytest|cattrs|collections|datetime|enum|hypothesis|sqlalchemy|typing|uuid)\..*"),
    ("py:.*", r"course_domain\.(ports\.T|testing\.\w+\.(Clause|\w+Bench))"),
    ("py:.*", r"Any|Callable"),
]

_IN_BACKTICKS = re.compile(r"(?<![`:\w])`(\w+)((?:\.\w+)*)`(?![`_\w])")
_DOCUMENTED = re.compile(r"^\.\. auto(?:class|data|exception|function):: (\S+)$", re.MULTILINE)

# What a docstring calls by its last name. A strategy is called as what it makes: `courses`.
_PUBLIC = {
    name.rpartition(".")[2]: name
    for page in (Path(__file__).parent / "reference").glob("*.md")
    for name in _DOCUMENTED.findall(page.read_text(encoding="utf-8"))
    if ".strategies." not in name
}


_RULES = re.compile(f"``({'|'.join(Rule)})``")


def _as_link(match: re.Match[str]) -> str:
    """Make a name in single backticks a link where it is public, and else plain code."""
    name, members = match.groups()
    if name in _PUBLIC:
        return f":py:obj:`{name}{members} <{_PUBLIC[name]}{members}>`"
    return f"``{name}{members}``"


# A value that is imported from elsewhere has lost the docstring below its assignment.
_DATA = {
    attribute: docstring
    for module in pkgutil.walk_packages(course_domain.__path__, "course_domain.")
    for (owner, attribute), docstring in ModuleAnalyzer.for_module(module.name)
    .find_attr_docs()
    .items()
    if not owner
}


def _prepare_docstring(
    _app: Sphinx, what: str, name: str, _documented: object, _options: object, lines: list[str]
) -> None:
    if what == "data":
        lines[:] = _DATA.get(name.rpartition(".")[2], [])
    lines[:] = [_IN_BACKTICKS.sub(_as_link, line) for line in lines]
    lines[:] = [_RULES.sub(r"`\1 <../rules.html#\1>`__", line) for line in lines]


def _caption_blocks(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Show the title of a block, which says into which file it goes."""
    source[0] = re.sub(
        r'^```python title="(.*)"$',
        r"```{code-block} python\n:caption: \1\n",
        source[0],
        flags=re.M,
    )


def _prepare_signature(
    _app: Sphinx,
    _what: str,
    _name: str,
    documented: object,
    _options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str, str | None] | None:
    """Show defaults as one would write them, and no arguments for what is not called."""
    if not signature:
        return None
    if getattr(documented, "_is_protocol", False):
        return "", returned
    plain = re.sub(r"<function (\w+)>", r"\1", signature)
    return plain.replace("NOTHING", "{}").replace("datetime.timezone.utc", "UTC"), returned


def _show_public_bases(
    _app: Sphinx, _name: str, _documented: object, _options: object, bases: list[Any]
) -> None:
    bases[:] = [each for each in bases if each.__name__ != "ErrorWithViolations"]


def setup(app: Sphinx) -> None:
    """Let docstrings name things plainly, as they do for who reads the source."""
    app.connect("source-read", _caption_blocks)
    app.connect("autodoc-process-docstring", _prepare_docstring)
    app.connect("autodoc-process-signature", _prepare_signature)
    app.connect("autodoc-process-bases", _show_public_bases)
