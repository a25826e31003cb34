"""The same course by a dataclass, read by json."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from benchmarks.by_hand import CourseStatus, CourseType, hold_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class DataclassCourse:
    """Frozen and slotted; nothing is checked but the rules."""

    id: UUID
    organization_id: UUID
    title: str
    description: str | None = None
    course_type: CourseType
    status: CourseStatus
    start_date: datetime | None = None
    end_date: datetime | None = None
    location: str | None = None
    is_virtual: bool
    max_participants: int | None = None
    issues_certificate: bool
    certificate_validity_months: int | None = None
    registration_deadline: datetime | None = None
    created_by: UUID
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        """Hold it to the five rules."""
        hold_rules(self)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def read(line: bytes) -> DataclassCourse:
    """Read one from JSON."""
    fields: dict[str, Any] = json.loads(line)
    for name in ("id", "organization_id", "created_by"):
        fields[name] = UUID(fields[name])
    for name in ("start_date", "end_date", "registration_deadline", "created_at", "updated_at"):
        fields[name] = _instant(fields[name])
    fields["course_type"] = CourseType(fields["course_type"])
    fields["status"] = CourseStatus(fields["status"])
    return DataclassCourse(**fields)
