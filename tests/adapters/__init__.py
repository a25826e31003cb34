"""Repositories and schedulers that the conformance kit is tried on: right ones, and broken ones."""
