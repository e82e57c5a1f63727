"""Measurements that `make bench` repeats and writes into RESULTS.md; one module for each section."""
