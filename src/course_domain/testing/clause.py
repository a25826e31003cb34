"""One promise of a port, with an id, and what it means when an adapter breaks it."""

import inspect
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from course_domain.testing.fixtures import is_of_a_fixture

__tracebackhide__ = True  # pytest then begins with the check

B = TypeVar("B")


@attrs.frozen
class Clause(Generic[B]):
    """Hold one promise and the check that finds it broken.

    The docstring of the check has three paragraphs: the promise, what a failure means, and what
    a correct adapter does.
    """

    id: str
    """Stable: a known defect is declared by it, and a page of the docs lists it."""

    check: Callable[[B], None]
    needs: frozenset[str] = frozenset()
    """The capabilities that an adapter must declare, else the clause is skipped."""

    times: int = 1
    """How often one run makes the check, on the same bench: more where calls meet by chance."""

    @property
    def name(self) -> str:
        """The promise in a few words."""
        return self.check.__name__.replace("_", " ")

    @property
    def paragraphs(self) -> tuple[str, str, str]:
        """The promise, what a failure means, and what a correct adapter does."""
        promise, failure, remedy = (
            " ".join(part.split()) for part in (inspect.getdoc(self.check) or "").split("\n\n")
        )
        return promise, failure, remedy

    def run(self, bench: B, *, docstring_is_shown: bool = False) -> None:
        """Hold the adapter on the bench to this promise; what is raised says which it is.

        It says what is promised and what to do, unless the docstring of the check is shown anyway.
        """
        try:
            for _ in range(self.times):
                self.check(bench)
        except Exception as error:
            if is_of_a_fixture(error):
                raise
            title = f"Clause {self.id}, {self.name}."
            told = () if docstring_is_shown else self.paragraphs
            error.add_note("\n  ".join((title, *told)))
            raise


def clause(
    clause_id: str, *needs: str, times: int = 1
) -> Callable[[Callable[[B], None]], Clause[B]]:
    """Make a clause of the check that follows."""

    def made(check: Callable[[B], None]) -> Clause[B]:
        return Clause(clause_id, check, frozenset(needs), times)

    return made
