"""Speaks to an Avatar server (hosted or embedded) and implements the ports."""
