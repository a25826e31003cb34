"""Scripts that measure; no tests. From the folder `tests`: python -m benchmarks.bench_seats."""
