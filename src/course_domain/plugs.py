"""What a host plugs in: whether it has the methods of its port, and what these answer."""

from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypeVar

from course_domain.values import Kind, checked, record, wrong_type

T = TypeVar("T")


def plugged(port: Any) -> Kind[Any]:
    """Make the kind of what has every method of a protocol, whatever its class.

    One whose methods are async is none for a sync protocol, nor the other way round: what nobody
    awaits is never stored. A class, given in the place of an object of it, is none either.
    """
    names = [name for name in dir(port) if not name.startswith("_")]
    is_async = any(iscoroutinefunction(getattr(port, name)) for name in names)

    def instance(value: Any) -> Any:
        if value is None or isinstance(value, type):
            raise wrong_type(value, port.__name__)
        methods = {name: getattr(value, name, None) for name in names}
        missing = [name for name, method in methods.items() if not callable(method)]
        if missing:
            raise wrong_type(value, f"{port.__name__} with {', '.join(missing)}")
        if any(map(iscoroutinefunction, methods.values())) is not is_async:
            how = "async" if is_async else "plain"
            raise wrong_type(value, f"{port.__name__} with {how} methods")
        return value

    return instance


def told(method: str, kind: Any, answer: T) -> T:
    """Give what a method of a host's answered; `InvalidValue` names it where that is no `kind`."""
    if not isinstance(answer, kind):
        checked(**{method: (record(kind), answer)})
    return answer


def _nothing_to_await(value: Any) -> Any:
    if isawaitable(value):
        raise wrong_type(value, "a plain method's answer")
    return value


def done(method: str, call: Callable[[T], object], argument: T) -> None:
    """Call a host's method that answers nothing.

    `InvalidValue` names it where it gives something to await: nobody will, so it is not done.
    """
    checked(**{method: (_nothing_to_await, call(argument))})
