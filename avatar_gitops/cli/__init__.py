"""Command line: options in, rendering out."""
