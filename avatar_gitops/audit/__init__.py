"""The record of who applied what, and which guard rail was passed why: append-only, each line bound to the last."""
