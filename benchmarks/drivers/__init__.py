"""Programs that the benchmarks start as processes of their own, each from a file to a file."""
