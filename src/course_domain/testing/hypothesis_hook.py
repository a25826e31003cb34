"""What the ``hypothesis`` entry point runs, so that `from_type(Course)` needs no import of ours.

Hypothesis loads this whenever it is imported; the strategies themselves wait for their first use.
"""

from importlib import import_module
from typing import Any

from hypothesis import strategies as st

import course_domain

_STRATEGIES = {
    course_domain.Actor: "actors",
    course_domain.Course: "courses",
    course_domain.CourseChanges: "course_changes",
    course_domain.CourseDetails: "course_details",
    course_domain.Participation: "participations",
    course_domain.PeerMentorCertificate: "certificates",
    course_domain.Registration: "registrations",
    course_domain.RenewalReminder: "reminders",
}


def _resolve(kind: Any) -> st.SearchStrategy[Any]:
    strategies = import_module("course_domain.testing.strategies")
    made: st.SearchStrategy[Any] = getattr(strategies, _STRATEGIES[kind])()
    return made


def register() -> None:
    """Tell Hypothesis which strategy makes which of our values."""
    for kind in _STRATEGIES:
        st.register_type_strategy(kind, _resolve)
