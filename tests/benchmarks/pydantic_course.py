"""The same course by pydantic."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from benchmarks.by_hand import MAX_INTEGER, MAX_MONTHS, CourseStatus, CourseType, hold_rules


class PydanticCourse(BaseModel):
    """Frozen and strict."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    id: UUID
    organization_id: UUID
    title: str
    description: str | None = None
    course_type: CourseType
    status: CourseStatus
    start_date: AwareDatetime | None = None
    end_date: AwareDatetime | None = None
    location: str | None = None
    is_virtual: bool
    max_participants: Annotated[int, Field(le=MAX_INTEGER)] | None = None
    issues_certificate: bool
    certificate_validity_months: Annotated[int, Field(le=MAX_MONTHS)] | None = None
    registration_deadline: AwareDatetime | None = None
    created_by: UUID
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @model_validator(mode="after")
    def hold(self) -> Self:
        """Hold it to the five rules."""
        hold_rules(self)
        return self
