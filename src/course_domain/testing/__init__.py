"""For the tests of hosts: Hypothesis strategies and the conformance kit (extra ``testing``)."""

try:
    import hypothesis as hypothesis
except ModuleNotFoundError as _error:
    _msg = "course_domain.testing needs Hypothesis: pip install 'course-domain[testing]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error
