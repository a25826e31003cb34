"""The tables on real engines: names, rules that a database holds, and what it keeps of a value."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from builders import (
    CERTIFICATE_ID,
    FIRST,
    LAST,
    LAST_COMPUTED,
    NOW,
    START,
    TICK,
    USER_ID,
    certificate,
    course,
    participation,
    registration,
    reminder,
)
from course_domain import COURSE_INDEXES, Course, CourseStatus, RegistrationStatus
from course_domain.sql import SqlCourseRepository, create_schema, metadata
from course_domain.sql.rows import columns_of
from course_domain.sql.schema import certificates, courses, registrations, reminders
