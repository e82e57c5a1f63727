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
Pairs = tuple[Indices, Indices, Indices]
"""Tokens, tokens, and the number of rows that have both."""


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
    starts = starts_of(sizes)
    plain = _reduction(count_pairs(codes, starts), len(codes), starts, weights)
    return Reduction(plain.tokens, weights, _shares(plain, codes))


def reduce_counts(pairs: Pairs, rows: int, sizes: Sequence[int], weights: Floats) -> Reduction | None:
    """The same from the counts of pairs of tokens among so many rows."""
    if not sizes:
        return None
    plain = _reduction(pairs, rows, starts_of(sizes), weights)
    return Reduction(plain.tokens, weights, _shares_of_counts(plain, pairs, rows))


def starts_of(sizes: Sequence[int]) -> Indices:
    """The first token of each category, and the number of all tokens."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def count_pairs(codes: Codes, starts: Indices) -> Pairs:
    """Tokens that stand in a row together, the first not before the second, and in how many rows they do."""
    width = int(starts[-1])
    firsts, seconds, shared = [], [], []
    for a in range(codes.shape[1]):
        for b in range(a + 1):
            pairs, together = np.unique(
                (codes[:, a] + starts[a]) * np.int64(width) + (codes[:, b] + starts[b]), return_counts=True
            )
            firsts.append(pairs // width)
            seconds.append(pairs % width)
            shared.append(together)
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(shared)


def _reduction(pairs: Pairs, rows: int, starts: Indices, weights: Floats) -> Reduction:
    vectors = _leading(_company(pairs, rows, int(starts[-1])), min(DIMENSIONS, max(1, int(starts[-1]) - 1)))
    unseen = np.zeros((1, vectors.shape[1]))
    tokens = tuple(np.vstack([vectors[a:b], unseen]) for a, b in pairwise(starts))
    return Reduction(tokens, weights, np.zeros((len(tokens), vectors.shape[1])))


def _company(pairs: Pairs, rows: int, width: int) -> sp.csr_matrix:
    """Positive pointwise mutual information of tokens, log(n n_ab / (n_a n_b)) where it is positive (symmetric)."""
    import scipy.sparse as sp

    first, second, together = pairs
    counts = np.zeros(width, dtype=np.int64)
    own = first == second
    counts[first[own]] = together[own]
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


def _shares_of_counts(reduction: Reduction, pairs: Pairs, rows: int) -> Floats:
    """The same, where the covariances come from how often tokens stand together."""
    import scipy.sparse as sp

    starts = starts_of([len(table) - 1 for table in reduction.tokens])
    width, total = int(starts[-1]), float(reduction.weights.sum())
    first, second, together = pairs
    half = sp.csr_matrix((together / rows, (first, second)), shape=(width, width))
    joint = half + sp.tril(half, -1).T
    scaled = np.vstack([t[:-1] * (w / total) for t, w in zip(reduction.tokens, reduction.weights, strict=True)])
    held = joint.diagonal()
    together_with = scaled * (joint @ scaled)  # of each token: its own part times the whole of its rows
    means = (scaled * held[:, None]).sum(axis=0)
    parts = np.empty((len(reduction.tokens), reduction.dimensions))
    for column, (a, b) in enumerate(pairwise(starts)):
        own = (scaled[a:b] * held[a:b, None]).sum(axis=0)
        parts[column] = np.maximum(together_with[a:b].sum(axis=0) - own * means, 0.0)
    sums = parts.sum(axis=0)
    return np.where(sums > 0, parts / np.where(sums > 0, sums, 1.0), 1.0 / len(parts))
