"""Compiled kernels of the engine: loaded when the package was built with a C compiler, absent otherwise.

They are plain C behind a C interface, called through `ctypes`, so that one wheel of a platform serves every Python and
importing them costs less than a millisecond. Nothing depends on them: the portable path (NumPy and pykdtree) gives the
same bytes, only later.
"""
