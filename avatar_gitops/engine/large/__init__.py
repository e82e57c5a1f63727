"""Tables that do not fit into memory: read, fitted, anonymized and written piece by piece."""
