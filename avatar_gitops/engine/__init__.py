"""Anonymization numerics: tables in, tables out. Never sees YAML, HTTP or set names."""
