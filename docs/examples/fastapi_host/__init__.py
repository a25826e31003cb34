"""A host in FastAPI: the same courses as JSON for programs and as pages for people."""
