"""Processors: what is done to a table before it is modelled, and undone on its avatars afterwards.

`params` says what can be asked for, `chain` applies a list of processors in order and reverts it in reverse order; each
other module holds processors of one kind. A processor is fitted on the originals once; `apply` is a pure function of a
table, `invert` a pure function of avatars and of the originals that they belong to.

The user gets back the columns that came in, with their names, order and types, and metrics are measured on those
columns: what a processor makes (first values, differences, shares) exists between the two calls only.
"""
