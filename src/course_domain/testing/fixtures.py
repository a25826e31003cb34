"""What a host gives to make an adapter of: where that is wrong, no clause is broken."""

from collections.abc import Callable
from inspect import isawaitable, isclass, iscoroutine, iscoroutinefunction
from typing import Any, TypeVar

__tracebackhide__ = True  # pytest then shows the fixture

T = TypeVar("T")

_RAISED = "raised this: no clause is broken by it"


class NothingMade(TypeError):
    """Tell that what a host gives to make an adapter makes none: no clause is broken by that."""


def is_of_a_fixture(error: BaseException) -> bool:
    """Tell whether what makes the adapter has raised this, or is told to be wrong by it."""
    notes: list[str] = getattr(error, "__notes__", [])
    return isinstance(error, NothingMade) or any(each.endswith(_RAISED) for each in notes)


def a_callable(make: Callable[..., T] | None, name: str) -> Callable[..., T]:
    """Give a fixture of the host as it is; `NothingMade` where it cannot be called."""
    if not callable(make):
        told = f"{name} is {_shown(make)}, where a callable that gives an adapter is to be"
        raise NothingMade(told)
    return make


def made_by(make: Callable[..., T] | None, name: str, port: type, *arguments: Any) -> T:
    """Give the adapter that a fixture of the host makes; `NothingMade` where that is none.

    What the fixture itself raises passes as it is, with a note that says so.
    """
    try:
        adapter = a_callable(make, name)(*arguments)
    except Exception as error:
        if not is_of_a_fixture(error):
            error.add_note(f"{name} {_RAISED}")
        raise
    if wrong := _wrong_with(adapter, port):
        raise NothingMade(f"{name} gave {_shown(adapter)}, {wrong}")
    return adapter


def awaitable_of(
    adapter: object, name: str, method: Callable[..., Any], /, *arguments: Any, **keywords: Any
) -> Any:
    """Give what a method gives to await; `NothingMade` where the adapter has no async one."""
    given = method(*arguments, **keywords)
    if not isawaitable(given) and not any(map(iscoroutinefunction, _attributes(type(adapter)))):
        told = f"{name} gave {_shown(adapter)}, which is sync: an async contract is not for it"
        raise NothingMade(told)
    return given


def _attributes(kind: type) -> list[Any]:
    return [getattr(kind, name, None) for name in dir(kind) if not name.startswith("_")]


def _wrong_with(adapter: Any, port: type) -> str:
    if adapter is None or isclass(adapter):
        return "where it is to give an adapter"
    if isawaitable(adapter):
        if iscoroutine(adapter):
            adapter.close()  # or Python warns that nobody awaits it
        return "which only an async contract awaits"
    promised = {name: each for name, each in vars(port).items() if not name.startswith("_")}
    found = [name for name in promised if hasattr(adapter, name)]
    if not found:
        return f"which has no method of {port.__name__}"
    is_async_port = any(map(iscoroutinefunction, promised.values()))
    if not is_async_port and all(iscoroutinefunction(getattr(adapter, name)) for name in found):
        return "which is async: a sync contract is not for it"
    return ""


def _shown(given: object) -> str:
    if given is None:
        return "None"
    return (
        f"the class {given.__name__}" if isclass(given) else f"an object of {type(given).__name__}"
    )
