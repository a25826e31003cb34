import ast
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# A module imports only modules before it; `__init__` stands for the root of the package.
ORDER = (
    "rules",
    "errors",
    "values",
    "actor",
    "course",
    "making",
    "participation",
    "policies",
    "details",
    "decisions",
    "ports",
    "calls",
    "outbox",
    "service",
    "__init__",
    "keyset",
    "memory",
    "english",
    "norwegian",
    "messages",
    "documents",
    "course_text",
    "course_json",
    "schema",
    "serialization",
    "aio_ports",
    "aio",
    "aio_bridge",
    "aio_memory",
    "aio_threads",
    "sql",
    "testing",
)
# The root would hide which module is meant; only the kit, which stands where hosts do, imports it.
KEPT_FROM: dict[str, set[str]] = {"sql": {"__init__", "service", "memory"}, "testing": set()}
FOREIGN = {
    "aio_threads": ("attrs", "anyio"),
    "course_text": ("attrs", "msgspec"),
    "policies": ("attrs", "dateutil.relativedelta"),
    "serialization": ("attrs", "cattrs"),
    "sql": ("attrs", "sqlalchemy", "tenacity"),
    "testing": ("attrs", "anyio", "hypothesis", "pytest"),
}
MAX_LINES = 300


def sources(package: Path) -> Iterator[tuple[str, Path]]:
    """Yield every source file, behind the name of the module in the order that it belongs to."""
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).with_suffix("").parts[0], path


def imports(package: Path, path: Path) -> Iterator[str]:
    """Yield the full dotted name of each thing that a file imports, wherever it does."""
    parents = ("course_domain", *path.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) + 1 - node.level] if node.level else ()
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield ast.literal_eval(node.args[0])


def modules_without_a_place(package: Path) -> list[str]:
    """List the modules that the order does not know."""
    return sorted({module for module, _ in sources(package)} - set(ORDER))


def arrows_against_the_order(package: Path) -> list[str]:
    """List the imports of a module that the importing one must not know."""
    breaches: list[str] = []
    for module, path in sources(package):
        above = ORDER[: ORDER.index(module)] if module in ORDER else ()
        known = {module, *above} - KEPT_FROM.get(module, {"__init__"})
        for root, *names in (name.split(".") for name in imports(package, path)):
            target = names[0] if names and names[0] in ORDER else "__init__"
            if root == "course_domain" and target not in known:
                breaches.append(f"{module} -> {target}")
    return breaches


def foreign_imports(package: Path) -> list[str]:
    """List the imports from beyond the standard library that a module is not entitled to."""
    ours = {"course_domain", *sys.stdlib_module_names}
    return [
        f"{module} -> {name}"
        for module, path in sources(package)
        for name in imports(package, path)
        if name.split(".")[0] not in ours
        and not f"{name}.".startswith(tuple(f"{own}." for own in FOREIGN.get(module, ("attrs",))))
    ]


def imports_below_the_top(package: Path) -> list[str]:
    """List the imports inside a function or a class."""
    return [
        f"{module}:{node.lineno}"
        for module, path in sources(package)
        for scope in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(scope)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def code_in_the_root(package: Path) -> list[str]:
    """List what the root holds besides its docstring, imports and one sorted ``__all__``."""
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    rest = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    if ast.get_docstring(tree) is not None:
        rest = rest[1:]
    match rest:
        case [ast.Assign(targets=[ast.Name("__all__")], value=ast.List() as value)]:
            names: list[str] = ast.literal_eval(value)
            # CONSTANTS, then Classes, then functions, as the linter sorts them.
            in_order = sorted(names, key=lambda name: (not name.isupper(), name.islower(), name))
            return [] if names == in_order else ["__all__"]
        case _:
            code = [ast.unparse(node) for node in rest]
            return [line for line in code if not line.startswith("__all__ =")] or ["one __all__"]


def long_files(package: Path) -> list[str]:
    """List the files that no longer fit a few screens."""
    return [
        module
        for module, path in sources(package)
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES
    ]


CHECKS = (
    modules_without_a_place,
    arrows_against_the_order,
    foreign_imports,
    imports_below_the_top,
    code_in_the_root,
    long_files,
)


@pytest.fixture(scope="session")
def installed() -> Path:
    """Give the folder that the package is imported from."""
    spec = importlib.util.find_spec("course_domain")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@pytest.mark.parametrize("check", CHECKS)
def test_package_keeps_its_architecture(
    check: Callable[[Path], list[str]], installed: Path
) -> None:
    """The package has nothing that a check of its architecture lists."""
    assert [] == check(installed)


def test_checks_read_the_whole_package(installed: Path) -> None:
    """The checks have the package's own files before them, not an empty folder."""
    read = {module for module, _ in sources(installed)}

    assert {"rules", "course", "policies", "decisions", "service", "__init__"} <= read


@pytest.mark.parametrize(
    ("check", "name", "source", "listed"),
    [
        (modules_without_a_place, "helpers.py", "", "helpers"),
        (modules_without_a_place, "extras/views.py", "", "extras"),
        (arrows_against_the_order, "rules.py", "import course_domain.errors", "rules -> errors"),
        (arrows_against_the_order, "rules.py", "from . import errors", "rules -> errors"),
        (arrows_against_the_order, "rules.py", "from .errors import E", "rules -> errors"),
        (
            arrows_against_the_order,
            "ports.py",
            "if TYPE_CHECKING:\n    from course_domain.service import CourseService",
            "ports -> service",
        ),
        (arrows_against_the_order, "aio.py", "from course_domain import Course", "aio -> __init__"),
        (arrows_against_the_order, "aio.py", "import course_domain", "aio -> __init__"),
        (arrows_against_the_order, "aio.py", "from . import *", "aio -> __init__"),
        (arrows_against_the_order, "aio.py", "from .testing import kit", "aio -> testing"),
        (arrows_against_the_order, "__init__.py", "from .memory import M", "__init__ -> memory"),
        (arrows_against_the_order, "sql/store.py", "from ..service import S", "sql -> service"),
        (arrows_against_the_order, "sql/store.py", "import course_domain", "sql -> __init__"),
        (arrows_against_the_order, "sql/a/b.py", "from ...memory import M", "sql -> memory"),
        (arrows_against_the_order, "helpers.py", "from .rules import Rule", "helpers -> rules"),
        (foreign_imports, "ports.py", "import cattrs", "ports -> cattrs"),
        (foreign_imports, "ports.py", "import attrs_strict", "ports -> attrs_strict"),
        (
            foreign_imports,
            "course.py",
            "from dateutil.relativedelta import relativedelta",
            "course -> dateutil.relativedelta.relativedelta",
        ),
        (foreign_imports, "policies.py", "from dateutil import tz", "policies -> dateutil.tz"),
        (foreign_imports, "rules.py", "import_module('yaml')", "rules -> yaml"),
        (foreign_imports, "policies.py", "import dateutil", "policies -> dateutil"),
        (foreign_imports, "sql/store.py", "def f():\n    import pytest", "sql -> pytest"),
        (imports_below_the_top, "rules.py", "def f():\n    import json", "rules:2"),
        (imports_below_the_top, "rules.py", "async def f():\n    import json", "rules:2"),
        (imports_below_the_top, "rules.py", "class C:\n    from json import loads", "rules:2"),
        (code_in_the_root, "__init__.py", "VERSION = 1\n__all__ = []", "VERSION = 1"),
        (code_in_the_root, "__init__.py", "'Docs.'\nimport json", "one __all__"),
        (code_in_the_root, "__init__.py", "__all__ = []\n__all__ = ['a']", "one __all__"),
        (code_in_the_root, "__init__.py", "__all__ = ['b', 'a']", "__all__"),
        (code_in_the_root, "__init__.py", "__all__ = ['seats', 'Course']", "__all__"),
        (long_files, "rules.py", "\n" * 301, "rules"),
    ],
)
def test_check_lists_what_breaks_the_architecture(
    check: Callable[[Path], list[str]], name: str, source: str, listed: str, tmp_path: Path
) -> None:
    """A check lists what is wrong with a package, and only that."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")

    assert [listed] == check(tmp_path)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("errors.py", "import json\nfrom uuid import UUID\nimport attrs\nfrom .rules import Rule"),
        ("policies.py", "from dateutil.relativedelta import relativedelta\nfrom . import actor"),
        ("sql/store.py", "import sqlalchemy.orm\nfrom . import tables\nfrom ..ports import Page"),
        ("testing/kit.py", "import pytest\nfrom course_domain.testing import strategies"),
        ("testing/hook.py", "import course_domain\nfrom course_domain import Course"),
        ("__init__.py", "'Docs.'\nfrom .rules import Rule\n__all__ = ['MAX', 'Rule', 'ask']"),
        ("rules.py", "if TYPE_CHECKING:\n    import json" + "\n" * 298),
    ],
)
def test_checks_let_a_sound_package_pass(name: str, source: str, tmp_path: Path) -> None:
    """A check lists nothing of imports that the order allows."""
    (tmp_path / "__init__.py").write_text("__all__ = []", encoding="utf-8")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")

    assert [] == [breach for check in CHECKS for breach in check(tmp_path)]


def test_every_public_name_exists() -> None:
    """Each name in ``__all__`` is there to import."""
    package = importlib.import_module("course_domain")

    assert [] == [name for name in package.__all__ if not hasattr(package, name)]


def test_import_brings_in_no_extra() -> None:
    """``import course_domain`` loads neither cattrs nor what only the extras need."""
    code = "import sys, course_domain; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    extras = {"anyio", "cattr", "cattrs", "hypothesis", "pytest", "_pytest", "sqlalchemy"}

    assert set() == extras & set(run.stdout.split())
    assert "course_domain.service" in run.stdout.split()
