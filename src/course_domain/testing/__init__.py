"""For the tests of hosts: Hypothesis strategies and the conformance kit (extra ``testing``)."""

try:
    import hypothesis as hypothesis
except ModuleNotFoundError as error:
    msg = "course_domain.testing needs Hypothesis: pip install 'course-domain[testing]'"
    raise ModuleNotFoundError(msg, name=error.name) from error
