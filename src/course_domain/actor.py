"""Who asks: a person of one organization, in one role."""

from enum import StrEnum
from uuid import UUID

import attrs

from course_domain import values


class Role(StrEnum):
    """Name what a person is in an organization."""

    PEER_MENTOR = "peer_mentor"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


_KINDS = {
    "user_id": values.identifier,
    "organization_id": values.identifier,
    "role": values.record(Role),
}


@attrs.frozen(kw_only=True)
class Actor:
    """Tell who asks, as the host authenticated them for this request.

    A person in two organizations is two actors. Raises `InvalidValue` with every field that
    is ``required`` or of the ``wrong_type``.
    """

    user_id: UUID
    organization_id: UUID
    role: Role

    def __attrs_post_init__(self) -> None:
        values.settle(self, _KINDS)
