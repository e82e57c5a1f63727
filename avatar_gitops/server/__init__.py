"""Embedded Avatar platform: HTTP API, object storage, job queue and workers."""
