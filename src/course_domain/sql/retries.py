"""When a call is tried again, and until when."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    wait_random_exponential,
)

from course_domain.errors import RepositoryUnavailable
from course_domain.sql.faults import Fault, fault_of

T = TypeVar("T")

# The time after which nothing new is tried. With what one attempt can wait for locks, all of it
# stays below 8 seconds.
TRYING_SECONDS = 3


class LostRace(Exception):
    """Tell that somebody changed the course first, so that nothing was written."""


def deadline() -> float:
    """Give the moment, of the monotonic clock, when a call that begins now tries nothing new."""
    return time.monotonic() + TRYING_SECONDS


def late() -> RepositoryUnavailable:
    """Tell one whose turn did not come."""
    return RepositoryUnavailable(f"others were writing for {TRYING_SECONDS} seconds")


def _may_be_tried_again(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return fault_of(error) is not Fault.FINAL
    return isinstance(error, LostRace)


def _is_late(state: RetryCallState) -> bool:
    until: float = state.args[1]
    return time.monotonic() >= until


_ATTEMPTS = Retrying(
    stop=_is_late,
    wait=wait_random_exponential(multiplier=0.004, max=0.25),
    retry=retry_if_exception(_may_be_tried_again),
    reraise=True,
)


def _called(call: Callable[[], T], _until: float) -> T:
    return call()


def _tried(call: Callable[[], T], until: float) -> T:
    """Call once, and only then begin with retries: to be ready for them costs half a decision."""
    try:
        return call()
    except (DBAPIError, LostRace) as error:
        if time.monotonic() >= until or not _may_be_tried_again(error):
            raise
    answer: T = _ATTEMPTS(_called, call, until)
    return answer


def trying(call: Callable[[], T], until: float | None = None) -> T:
    """Try a call again while its error certainly means that nothing was applied.

    With jitter, and until the `deadline` of its caller, or its own; then, or where trying again
    would not help, `RepositoryUnavailable` with the reason.
    """
    try:
        return _tried(call, deadline() if until is None else until)
    except LostRace as error:
        msg = f"others changed the course first for {TRYING_SECONDS} seconds"
        raise RepositoryUnavailable(msg) from error
    except DBAPIError as error:
        raise RepositoryUnavailable(str(error.orig)) from error
    except PoolTimeout as error:
        raise RepositoryUnavailable(str(error)) from error
