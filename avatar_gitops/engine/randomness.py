"""Random numbers of avatars, each a function of the stream's key and of its place in the stream.

Word j of an avatar serves its neighbour j: the upper half is a uniform number, the lower half a step in shuffling. The
laws below use additions, products, quotients and square roots only, in a fixed order: logarithms of libraries differ in
their last bit from one processor to the next, and the compiled kernels (draw.h) do the same operations.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats

Words = npt.NDArray[np.uint64]

_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(2**32 - 1)
_LOG_2: Final = float.fromhex("0x1.62e42fefa39efp-1")
_ROOT_HALF: Final = float.fromhex("0x1.6a09e667f3bcdp-1")

# Wichura (1988), algorithm AS 241: the two pieces that uniforms of 32 bits can reach.
_A: Final = (
    3.3871328727963666080,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
_B: Final = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
_C: Final = (
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
_D: Final = (
    1.0,
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)


def words_of(key: int, first: int, last: int, width: int) -> Words:
    """Words (avatars x at least `width`) of avatars `first` to `last` of a Philox 4x64 stream; four to a block."""
    blocks = -(-width // 4)
    random = np.random.Philox(key=key, counter=first * blocks)
    return np.asarray(random.random_raw((last - first) * blocks * 4)).reshape(last - first, blocks * 4)


def uniform_high(words: Words) -> Floats:
    """Uniform numbers strictly between 0 and 1 from the upper halves of words."""
    return ((words >> _HALF).astype(np.float64) + 0.5) * 2.0**-32


def uniform_low(words: Words) -> Floats:
    """The same from the lower halves."""
    return ((words & _LOW).astype(np.float64) + 0.5) * 2.0**-32


def shuffled_halves(words: Words) -> Floats:
    """In each row 1/2, 1/4, ..., 1/2^k in random order, by an inside-out Fisher-Yates shuffle on the lower halves."""
    each, k = np.arange(len(words)), words.shape[1]
    halves = np.empty(words.shape)
    for j in range(k):
        other = (((words[:, j] & _LOW) * np.uint64(j + 1)) >> _HALF).astype(np.int64)
        halves[:, j] = halves[each, other] if j else 0.0
        halves[each, other] = 0.5 ** (j + 1)
    return halves


def exponentials(uniforms: Floats) -> Floats:
    """Draws of Exp(1): minus the logarithm, from u = m 2^e and log m = 2 atanh((m - 1) / (m + 1))."""
    mantissa, exponent = np.frexp(uniforms)
    small = (mantissa < _ROOT_HALF).astype(np.float64)
    mantissa = mantissa + mantissa * small
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    total = np.full_like(z, 1.0 / 23.0)
    for odd in range(21, 1, -2):
        total = total * z + 1.0 / odd
    total = total * z + 1.0
    return -((exponent - small) * _LOG_2 + 2.0 * s * total)


def normals(uniforms: Floats) -> Floats:
    """Draws of the standard normal law: its quantiles (Wichura 1988)."""
    q = uniforms - 0.5
    r = 0.180625 - q * q
    middle = q * _polynomial(_A, r) / _polynomial(_B, r)
    r = np.sqrt(exponentials(np.where(q < 0, uniforms, 1.0 - uniforms))) - 1.6
    tail = _polynomial(_C, r) / _polynomial(_D, r)
    return np.where(np.abs(q) <= 0.425, middle, np.where(q < 0, -tail, tail))


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total
