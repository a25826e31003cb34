"""One promise of a port, with an id, and what it means when an adapter breaks it."""

import inspect
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

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

    def run(self, bench: B) -> None:
        """Hold the adapter on the bench to this promise; what is raised says which it is."""
        try:
            self.check(bench)
        except Exception as error:
            error.add_note(self.explanation())
            raise

    def explanation(self) -> str:
        """Say what is broken and what to do, for whoever reads the failure."""
        promise, failure, remedy = self.paragraphs
        return f"Clause {self.id}, {self.name}.\n  {promise}\n  {failure}\n  {remedy}"


def clause(clause_id: str, *needs: str) -> Callable[[Callable[[B], None]], Clause[B]]:
    """Make a clause of the check that follows."""

    def made(check: Callable[[B], None]) -> Clause[B]:
        return Clause(clause_id, check, frozenset(needs))

    return made
