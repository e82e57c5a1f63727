"""avatar-gitops: anonymization runs as code, from a reviewed YAML file to a gated, reproducible result."""

__version__ = "0.1.0"
