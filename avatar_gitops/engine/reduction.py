"""Categories as a few coordinates: modalities that keep the same company get near each other.

A token is a modality of a column, and the tokens of a row are its sentence. Tokens are compared by their positive
pointwise mutual information over the rows, a token being in its own company, and get the leading coordinates of its
singular value decomposition scaled by the roots of the singular values (Levy and Goldberg, Neural Word Embedding as
Implicit Matrix Factorization, 2014). A row is the mean of its tokens, by column weight. Everything is deterministic:
there is no random start and no sampling.

Avatars are not decoded from these coordinates. They only decide who is near to whom; modalities are still drawn from
neighbours, so that none appears that no original has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.errors import EngineError

if TYPE_CHECKING:
    import scipy.sparse as sp

DIMENSIONS: Final = 20
_DENSE_TOKENS: Final = 1_200
_SMALLEST: Final = 1e-9

Indices = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Reduction:
    """Coordinates of every modality of every category: `tokens[v]` has a row per modality, and a last one of zeros for
    modalities never seen. `weights` are those of the columns; `shares[v]` is the part of each coordinate's variance
    that column v brings.
    """

    tokens: tuple[Floats, ...]
    weights: Floats
    shares: Floats

    @property
    def dimensions(self) -> int:
        """Number of coordinates."""
        return int(self.tokens[0].shape[1])

    def embed(self, codes: Codes, columns: Sequence[int] | None = None) -> Floats:
        """Coordinates of rows (rows x dimensions), of all categories or of some of them."""
        chosen = range(len(self.tokens)) if columns is None else columns
        total = float(self.weights[list(chosen)].sum())
        rows = np.zeros((len(codes), self.dimensions), order="F")
        for column in chosen:
            table = self.tokens[column]
            rows += table[np.minimum(codes[:, column], len(table) - 1)] * (self.weights[column] / total)
        return rows


def fit_reduction(codes: Codes, sizes: Sequence[int], weights: Floats) -> Reduction | None:
    """Learn the coordinates from completed originals (rows x categories); None without categories."""
    if not sizes:
        return None
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    vectors = _leading(_company(codes, starts), min(DIMENSIONS, max(1, int(starts[-1]) - 1)))
    unseen = np.zeros((1, vectors.shape[1]))
    tokens = tuple(np.vstack([vectors[a:b], unseen]) for a, b in pairwise(starts))
    plain = Reduction(tokens, weights, np.zeros((len(sizes), vectors.shape[1])))
    return Reduction(tokens, weights, _shares(plain, codes))


def _company(codes: Codes, starts: Indices) -> sp.csr_matrix:
    """Positive pointwise mutual information of tokens, log(n n_ab / (n_a n_b)) where it is positive (symmetric)."""
    import scipy.sparse as sp

    rows = len(codes)
    width = int(starts[-1])
    counts = np.concatenate([np.bincount(codes[:, v], minlength=b - a) for v, (a, b) in enumerate(pairwise(starts))])
    firsts, seconds, shared = [], [], []
    for a in range(codes.shape[1]):
        for b in range(a + 1):
            pairs, together = np.unique(
                (codes[:, a] + starts[a]) * np.int64(width) + (codes[:, b] + starts[b]), return_counts=True
            )
            firsts.append(pairs // width)
            seconds.append(pairs % width)
            shared.append(together)
    first, second, together = (np.concatenate(part) for part in (firsts, seconds, shared))
    information = np.log(together * float(rows) / (counts[first] * counts[second].astype(np.float64)))
    kept = information > 0
    half = sp.csr_matrix((information[kept], (first[kept], second[kept])), shape=(width, width))
    return sp.csr_matrix(half + sp.tril(half, -1).T)


def _leading(matrix: sp.csr_matrix, wanted: int) -> Floats:
    """Leading left singular vectors times the roots of their singular values (tokens x coordinates).

    The matrix is symmetric: its singular values are the sizes of its eigenvalues. The largest entry of a coordinate is
    positive.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh

    width = matrix.shape[0]
    if width <= _DENSE_TOKENS:
        values, vectors = np.linalg.eigh(matrix.toarray())
    else:
        begin = np.cos(np.arange(1.0, width + 1.0))
        try:
            values, vectors = eigsh(matrix, k=wanted, which="LM", v0=begin, tol=1e-9, maxiter=2_000)
        except ArpackNoConvergence as error:
            values, vectors = error.eigenvalues, error.eigenvectors
            if len(values) == 0:
                raise EngineError(
                    "The categories have too little in common to be reduced to a few coordinates.",
                    hint="Group rare modalities, or leave use_categorical_reduction out.",
                ) from None
    order = np.argsort(-np.abs(values), kind="stable")[:wanted]
    sizes = np.abs(values[order])
    order = order[: max(1, int((sizes > _SMALLEST * max(float(sizes[0]), 1e-300)).sum()))]
    vectors = vectors[:, order] * np.sqrt(np.abs(values[order]))
    return np.asarray(vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(order))] < 0, -1.0, 1.0))


def _shares(reduction: Reduction, codes: Codes) -> Floats:
    """What each column brings to the variance of each coordinate (columns x coordinates, sums 1).

    The covariance of the column's part with the whole; parts that work against the whole count as nothing.
    """
    whole = reduction.embed(codes)
    whole = whole - whole.mean(axis=0)
    total = float(reduction.weights.sum())
    parts = np.empty((len(reduction.tokens), reduction.dimensions))
    for column, table in enumerate(reduction.tokens):
        own = table[codes[:, column]] * (reduction.weights[column] / total)
        parts[column] = np.maximum((own * whole).mean(axis=0), 0.0)
    sums = parts.sum(axis=0)
    return np.where(sums > 0, parts / np.where(sums > 0, sums, 1.0), 1.0 / len(parts))
