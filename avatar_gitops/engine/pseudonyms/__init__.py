"""Substitutes for direct identifiers: columns that are taken out before modelling and come back with other values."""
