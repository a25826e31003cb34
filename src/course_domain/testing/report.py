"""What came of holding an adapter to its clauses."""

from typing import Any

import attrs

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"


@attrs.frozen(kw_only=True)
class Result:
    """Hold what came of one clause."""

    clause_id: str
    name: str
    outcome: str
    """``passed``, ``failed``, or ``skipped`` where the adapter does not declare what it needs."""

    message: str = ""
    """What was expected and observed, what it means, and what to do; or what was not declared."""


@attrs.frozen
class Report:
    """Hold what came of every clause; ``str()`` of it is for people."""

    results: tuple[Result, ...] = attrs.field(converter=tuple[Result, ...])

    @property
    def passed(self) -> bool:
        """Tell whether no clause failed; skipped ones are not counted against the adapter."""
        return not self.failures

    @property
    def failures(self) -> tuple[Result, ...]:
        """The clauses that the adapter breaks."""
        return tuple(each for each in self.results if each.outcome == FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain values, for JSON."""
        return {"passed": self.passed, "results": [attrs.asdict(each) for each in self.results]}

    def __str__(self) -> str:
        """List the clauses, a line each, and what is wrong below them."""
        lines = [f"{each.outcome:7} {each.clause_id:15} {each.name}" for each in self.results]
        told = [f"\n{each.message}" for each in self.failures]
        counts = {
            outcome: sum(each.outcome == outcome for each in self.results)
            for outcome in (PASSED, FAILED, SKIPPED)
        }
        summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        return "\n".join([*lines, *told, summary])
