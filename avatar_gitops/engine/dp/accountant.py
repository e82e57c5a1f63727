"""The only door to the data: measurements of OpenDP behind a privacy filter that holds the declared budget.

All noise comes from OpenDP, which draws it from the operating system: a run cannot be repeated from a seed, because
whoever knows the seed of the noise can take it away again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.dp.params import Spent
from avatar_gitops.errors import EngineError

Counts = npt.NDArray[np.int64]
View = TypeVar("View")

TOLERANCE: Final = 1e-6
"""The declared epsilon is used up to this share of it; the rest keeps rounding from going beyond."""

_LARGEST_THRESHOLD: Final = 2**40


class Accountant(Generic[View]):
    """Answers questions about private rows until the budget is used up, and refuses the first that would exceed it.

    A question sees the rows through `view`, whose parts must be computed row by row; `rows` of them may belong to one
    person. The loss is epsilon (`pure`) or rho of zero-concentrated differential privacy; shares are in its unit. Of
    `delta`, `learning_delta` is for learning categories; zCDP needs the rest to be told as epsilon.

    Source: adaptive composition and filters, Rogers et al., "Privacy Odometers and Filters" (2016); zCDP, Bun and
    Steinke, "Concentrated Differential Privacy" (2016); both as implemented by OpenDP.
    """

    def __init__(
        self, view: View, epsilon: float, delta: float, learning_delta: float, rows: int, *, pure: bool
    ) -> None:
        self._dp = load_library()
        self.pure, self.rows, self.delta = pure, rows, delta
        self.learning_delta = learning_delta
        self._conversion_delta = 0.0 if pure else delta - learning_delta
        self.budget = epsilon * (1 - TOLERANCE) if pure else self._rho_for(epsilon * (1 - TOLERANCE))
        self.stages: list[Spent] = []
        self._space = (self._dp.user_domain("Rows", lambda _: True), self._dp.symmetric_distance())
        self._queryable = self._filter((self.budget * (1 + TOLERANCE / 2), learning_delta))(view)

    def counts(self, stage: str, query: Callable[[View], Counts], sensitivity: float, share: float) -> Counts:
        """Noisy whole numbers; one row moves the vector by at most `sensitivity` (L1 if pure, else L2)."""
        dp, limit = self._dp, sensitivity * (1 + 1e-12)
        vector = dp.vector_domain(dp.atom_domain(T="i64"))
        if self.pure:
            metric = dp.l1_distance(T="i64")
            asked = self._ask(vector, metric, _listed(query), lambda rows: rows * math.ceil(sensitivity))
        else:
            metric = dp.l2_distance(T=float)
            asked = self._ask(vector, metric, _listed(query), lambda rows: float(rows) * limit)
        noise = dp.m.then_laplace if self.pure else dp.m.then_gaussian
        return np.asarray(self._spend(stage, lambda scale: asked >> noise(scale=scale), share), dtype=np.int64)

    def deviation(self, sensitivity: float, share: float) -> float:
        """Standard deviation of the noise that `counts` would add; it depends on nothing private."""
        moved = sensitivity * self.rows
        return math.sqrt(2) * moved / share if self.pure else moved / math.sqrt(2 * share)

    def choose(self, stage: str, query: Callable[[View], Counts], share: float) -> int:
        """Index of a high score; one row moves each score by at most 1. Exponential mechanism, McSherry and Talwar."""
        dp = self._dp
        vector, metric = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
        asked = self._ask(vector, metric, _listed(query), lambda rows: rows)
        noisy = self._measure()
        return int(self._spend(stage, lambda scale: asked >> dp.m.then_noisy_max(noisy, scale=scale), share))

    def quantile(
        self,
        stage: str,
        query: Callable[[View], npt.NDArray[np.float64]],
        where: tuple[Sequence[float], float],
        share: float,
    ) -> float:
        """About the `alpha` quantile of one number per row, among public candidates. Source: Smith (2011)."""
        dp, (candidates, alpha) = self._dp, where
        vector = dp.vector_domain(dp.atom_domain(T=float, nan=False))
        asked = self._ask(vector, dp.symmetric_distance(), lambda view: query(view).tolist(), lambda rows: rows)
        noisy, grid = self._measure(), [float(value) for value in candidates]
        made = lambda scale: asked >> dp.m.then_private_quantile(noisy, grid, alpha, scale)  # noqa: E731
        return float(self._spend(stage, made, share))

    def keys(
        self, stage: str, query: Callable[[View], Mapping[str, int]], share: float, delta: float
    ) -> dict[str, int]:
        """Noisy counts of the values that are frequent enough to be named; `delta` is the chance of naming a rare one.

        Source: Rogers, "A Unifying Privacy Analysis Framework for Unknown Domain Algorithms" (2023).
        """
        dp = self._dp
        found = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i64"))
        inner = dp.absolute_distance(T="i64")
        metric = dp.l01inf_distance(inner) if self.pure else dp.l02inf_distance(inner)
        asked = self._ask(found, metric, lambda view: dict(query(view)), lambda rows: (rows, rows, rows))
        threshold = dp.m.then_laplace_threshold if self.pure else dp.m.then_gaussian_threshold

        def made(scale: float, limit: int) -> Any:
            return asked >> threshold(scale=scale, threshold=limit)

        scale = self._scale(lambda scale: made(scale, _LARGEST_THRESHOLD), share)
        low, high = 0, _LARGEST_THRESHOLD
        while high - low > 1:  # the smallest threshold that is safe enough
            middle = (low + high) // 2
            low, high = (low, middle) if made(scale, middle).map(self.rows)[1] <= delta else (middle, high)
        return dict(self._answer(stage, made(scale, high)))

    @property
    def left(self) -> float:
        """What can still be spent, in the unit of the loss."""
        return max(0.0, self.budget - self._total()[0]) if self.stages else self.budget

    @property
    def epsilon(self) -> float:
        """Everything spent so far, as OpenDP composes it, told as epsilon at `delta`."""
        loss = self._total()[0]
        return loss if self.pure else self._epsilon_of(loss)

    @property
    def rho(self) -> float | None:
        """Everything spent so far as zero-concentrated loss; None when the loss is pure."""
        return None if self.pure else self._total()[0]

    @property
    def spent_delta(self) -> float:
        """Delta of the promise: what learning cost, and what the conversion from zCDP takes."""
        return self._total()[1] + self._conversion_delta

    @property
    def library(self) -> str:
        """Name and version of what made and composed the noise."""
        from importlib.metadata import version

        return f"opendp/{version('opendp')}"

    def _total(self) -> tuple[float, float]:
        loss, delta = self._queryable.privacy_loss(self.rows)
        return float(loss), float(delta)

    def _measure(self) -> Any:
        return self._dp.max_divergence() if self.pure else self._dp.zero_concentrated_divergence()

    def _filter(self, budget: tuple[float, float]) -> Any:
        dp = self._dp
        composed = dp.c.make_fully_adaptive_composition(*self._space, dp.approximate(self._measure()))
        return dp.c.make_privacy_filter(composed, d_in=self.rows, d_out=budget)

    def _ask(
        self, domain: Any, metric: Any, query: Callable[[View], object], stability: Callable[[int], object]
    ) -> Any:
        return self._dp.t.make_user_transformation(*self._space, domain, metric, query, stability)

    def _scale(self, made: Callable[[float], Any], share: float) -> float:
        """Scale of the noise at which a measurement costs `share`; losses fall as 1/scale (pure) or 1/scale² (zCDP)."""
        loss = made(1.0).map(self.rows)
        unit = float(loss[0] if isinstance(loss, tuple) else loss)
        return unit / share if self.pure else math.sqrt(unit / share)

    def _spend(self, stage: str, made: Callable[[float], Any], share: float) -> Any:
        return self._answer(stage, self._dp.c.make_approximate(made(self._scale(made, share))))

    def _answer(self, stage: str, measurement: Any) -> Any:
        loss, delta = measurement.map(self.rows)
        answer = self._invoke(stage, measurement)
        self.stages.append(Spent(stage, float(loss), float(delta)))
        return answer

    def _invoke(self, stage: str, measurement: Any) -> Any:
        from opendp.mod import OpenDPException

        try:
            return self._queryable(measurement)
        except OpenDPException:  # its text may quote what a question saw
            raise EngineError(
                f"The measurement {stage!r} was refused: it would spend more than the declared epsilon and delta.",
                hint="Nothing was released. Please report this: the budget is divided before the data are read.",
            ) from None

    def _rho_for(self, epsilon: float) -> float:
        """Largest rho that is told as at most epsilon."""
        low, high = 0.0, epsilon
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._epsilon_of(middle) <= epsilon else (low, middle)
        return low

    def _epsilon_of(self, rho: float) -> float:
        """OpenDP's conversion of a zero-concentrated loss."""
        dp = self._dp
        if rho <= 0:
            return 0.0
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
        noise = dp.m.make_gaussian(*space, scale=math.sqrt(0.5 / rho))
        return float(dp.c.make_zCDP_to_approxDP(noise).map(1.0).epsilon(self._conversion_delta))


def load_library() -> Any:
    """OpenDP, ready to use; raises EngineError when it is not installed."""
    try:
        import opendp.prelude as dp
    except ImportError:
        raise EngineError(
            "Differential privacy needs the library OpenDP, which is not installed.",
            hint="Install avatar-gitops[dp], or use the avatar method (k).",
        ) from None
    # User functions only count and add up rows; that each is as stable as it says is what tests show.
    dp.enable_features("contrib", "honest-but-curious")
    return dp


def _listed(query: Callable[[Any], Counts]) -> Callable[[Any], list[int]]:
    return lambda view: np.asarray(query(view), dtype=np.int64).ravel().tolist()
