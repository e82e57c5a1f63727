"""Compiled kernels and the portable path give the same bits, and both are exact; without a compiler all still works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.generation import Donors, draw_avatars
from avatar_gitops.engine.kernels.library import SWITCH, kernels
from avatar_gitops.engine.neighbours import build_neighbourhood, nearest_others, on_grid
from avatar_gitops.engine.params import AvatarParams, Generation
from avatar_gitops.engine.projection import fit_projection, project
from avatar_gitops.engine.randomness import exponentials, normals, shuffled_halves, uniform_high, words_of
from avatar_gitops.engine.search import build_index, equal_rows, nearest, without_surplus
from avatar_gitops.engine.threads import in_parallel
from avatar_gitops.errors import EngineError

Points = npt.NDArray[np.float64]
COMPILED = kernels() is not None and os.environ.get(SWITCH) != "portable"
needs_kernels = pytest.mark.skipif(not COMPILED, reason="installed without compiled kernels")


@contextmanager
def kernels_are(variant: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, variant)
        yield


def variants() -> list[str]:
    found = []
    for variant in ("plain", "avx2", "avx512"):
        with kernels_are(variant):
            try:
                kernels()
            except EngineError:
                continue
            found.append(variant)
    return found


def cloud(kind: str, rows: int, axes: int, seed: int) -> Points:
    random = np.random.default_rng(seed)
    if kind == "round numbers":
        return random.integers(0, 4, (rows, axes)).astype(float)
    points = random.normal(size=(rows, axes)) * 10.0 ** random.integers(-6, 6)
    if kind == "copies":
        return np.asarray(points[random.integers(0, max(1, rows // 20), rows)])
    if kind == "equal":
        return np.full((rows, axes), 1.0 / 3.0)
    if kind == "far outlier":
        points[0] = 1e6 * np.abs(points).max()
    return points


KINDS = ["spread", "round numbers", "copies", "equal", "far outlier"]


def draw(points: Points, k: int, generation: Generation, seed: int, variant: str) -> tuple[bytes, bytes]:
    random = np.random.default_rng(seed)
    rows, columns = len(points), seed % 6
    numbers = random.normal(size=(rows, seed % 4)) * 1e5
    codes = random.integers(0, 70_000 if seed % 5 == 0 else 9, (rows, columns)).astype(np.int32)
    donors = Donors(Frame(numbers, codes), random.integers(0, 2, (rows, seed % 3)).astype(np.int32))
    origins = random.integers(0, rows, rows + 5) if seed % 2 else None
    with kernels_are(variant):
        made = draw_avatars(donors, points, AvatarParams(k, generation=generation), seed, "t", origins)
    return made[0].tobytes(), made[1].tobytes()


@needs_kernels
@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    rows=st.sampled_from([2, 3, 16, 17, 60, 400]),
    axes=st.integers(1, 7),
    k=st.sampled_from([1, 2, 5, 20, 399]),
    generation=st.sampled_from(Generation),
    seed=st.integers(0, 10_000),
)
def test_compiled_avatars_are_the_portable_ones(
    kind: str, rows: int, axes: int, k: int, generation: Generation, seed: int
) -> None:
    k = min(k, rows - 1)
    generation = Generation.BARYCENTRE if k == 1 else generation
    points = cloud(kind, rows, axes, seed)
    expected = draw(points, k, generation, seed, "portable")
    for variant in variants():
        assert draw(points, k, generation, seed, variant) == expected, variant


@needs_kernels
@pytest.mark.parametrize(("axes", "rows"), [(1, 9_001), (6, 9_001), (30, 1_501)])
def test_larger_trees_agree_too(axes: int, rows: int) -> None:
    """Two and three levels of nodes, the last block not full."""
    points = cloud("spread", rows, axes, axes)
    expected = draw(points, 20, Generation.BARYCENTRE, 11, "portable")
    assert {draw(points, 20, Generation.BARYCENTRE, 11, variant) for variant in variants()} == {expected}


@pytest.mark.parametrize("variant", ["portable", *variants()])
@settings(deadline=None, max_examples=40)
@given(
    points=hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 70), st.integers(1, 3)),
        elements=st.floats(-1e3, 1e3, allow_subnormal=False) | st.sampled_from([0.0, 1.0, 1.0 + 2**-50, 0.1]),
    ),
    data=st.data(),
)
def test_any_points_have_the_nearest_others_in_order(variant: str, points: Points, data: st.DataObject) -> None:
    rows, k = len(points), data.draw(st.integers(1, len(points) - 1))
    exact = np.zeros((rows, rows))
    for axis in range(points.shape[1]):
        exact += (points[:, axis, None] - points[:, axis]) ** 2
    np.fill_diagonal(exact, np.inf)
    expected = np.argsort(exact, axis=1, kind="stable")[:, :k]
    with kernels_are(variant):
        each = np.arange(rows)
        squared, found = nearest(build_index(points), points, k, each, each)
    assert found.tolist() == expected.tolist()
    assert squared.tolist() == np.take_along_axis(exact, expected, axis=1).tolist()


@needs_kernels
@pytest.mark.timeout(40)
def test_a_few_far_rows_do_not_slow_the_others() -> None:
    """Single precision rules points out with a margin for rounding, which must not be that of the furthest row."""
    points = np.random.default_rng(0).standard_cauchy((100_000, 5))
    each = np.arange(len(points))
    squared, found = nearest(build_index(points), points, 5, each, each)
    some = each[:20]
    exact = cdist(points[some], points)
    exact[some, some] = np.inf
    np.testing.assert_allclose(np.sqrt(squared[some]), np.sort(exact, axis=1)[:, :5], rtol=1e-9)
    assert (found != each[:, None]).all()


@pytest.mark.parametrize("variant", ["portable", *variants()])
def test_strangers_find_their_nearest_points(variant: str) -> None:
    points, queries = cloud("copies", 700, 3, 1), cloud("spread", 300, 3, 1) * 100
    with kernels_are(variant):
        squared, _ = nearest(build_index(points), queries, 5)
    np.testing.assert_allclose(np.sqrt(squared), np.sort(cdist(queries, points), axis=1)[:, :5], rtol=1e-9)


@pytest.mark.parametrize("variant", ["portable", *variants()])
def test_equal_rows_are_numbered_as_they_appear(variant: str) -> None:
    points = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, -0.0], [2.0, 0.0], [1.0, 0.0], [3.0, 1.0]])
    with kernels_are(variant):
        group, first, size = equal_rows(points)
        assert without_surplus(points, 2).tolist() == [0, 1, 2, 3, 5]
    assert group.tolist() == [0, 1, 0, 1, 0, 2]
    assert first.tolist() == [0, 1, 5]
    assert size.tolist() == [3, 2, 1]


def test_a_row_that_was_left_out_of_the_index_still_has_neighbours() -> None:
    """Of 500 copies the index keeps four; an avatar of any other copy is made of these."""
    points = np.vstack([np.zeros((500, 1)), np.ones((500, 1))])
    hood = build_neighbourhood(points, np.random.default_rng(0), 3)
    distances, found = nearest_others(hood, np.arange(1_000), 3)
    assert (distances == 0).all()
    assert ((found < 500) == (np.arange(1_000)[:, None] < 500)).all()


@needs_kernels
@pytest.mark.parametrize(("numbers", "sizes"), [(3, (4, 1, 30)), (0, (5, 2)), (2, ())])
def test_projections_are_the_portable_ones(numbers: int, sizes: tuple[int, ...]) -> None:
    """More rows than one chunk of sums; rows that are projected have modalities that were never seen."""
    random = np.random.default_rng(len(sizes))
    rows = 70_000
    values = random.normal(size=(rows, numbers)) * 1e4
    codes = np.stack([random.integers(0, size, rows) for size in (*sizes, 2)], axis=1).astype(np.int32)
    weights = random.uniform(0.5, 2.0, numbers + codes.shape[1])
    unseen = codes + 1
    made = []
    for variant in ("portable", ""):
        with kernels_are(variant):
            fitted = fit_projection(values, codes, (*sizes, 2), weights, 5)
            made.append((fitted.axes.tobytes(), project(fitted, values, unseen).tobytes()))
    assert made[0] == made[1]


def test_noise_in_the_last_bits_of_coordinates_changes_no_avatar() -> None:
    """Round numbers have neighbours at equal distance; what another processor's algebra adds must not choose."""
    random = np.random.default_rng(5)
    values = np.round(random.normal(5, 1, (150, 4)), 1)
    points = (values - values.mean(axis=0)) / values.std(axis=0) @ np.linalg.qr(random.normal(size=(4, 4)))[0]
    expected = draw(on_grid(points), 20, Generation.BARYCENTRE, 7, "")
    for seed in range(5):
        noise = np.random.default_rng(seed).uniform(-1e-13, 1e-13, points.shape)
        assert draw(points * (1 + noise), 20, Generation.BARYCENTRE, 7, "") == expected


def test_the_grid_is_finer_than_single_precision_and_keeps_duplicates() -> None:
    points = cloud("copies", 500, 3, 2)
    moved = np.abs(on_grid(points) - points)
    assert moved.max() <= np.abs(points).max() * 2.0**-28
    assert len(np.unique(on_grid(points), axis=0)) == len(np.unique(points, axis=0))
    assert on_grid(np.zeros((3, 2))).tolist() == np.zeros((3, 2)).tolist()


def test_the_laws_of_the_draws() -> None:
    words = words_of(12345, 0, 50_000, 8)
    uniforms = uniform_high(words)
    np.testing.assert_allclose(exponentials(uniforms), -np.log(uniforms), rtol=1e-13)
    np.testing.assert_allclose(normals(uniforms), ndtri(uniforms), rtol=1e-12, atol=1e-13)
    ends = np.array([2.0**-33, 1 - 2.0**-33, 0.5, 0.075, 0.925])
    np.testing.assert_allclose(normals(ends), ndtri(ends), rtol=1e-12, atol=1e-15)
    halves = shuffled_halves(words[:, :4])
    assert np.sort(halves, axis=1).tolist() == [[0.0625, 0.125, 0.25, 0.5]] * 50_000
    for column in halves.T:  # each place gets each share equally often
        shares = [float((column == share).mean()) for share in (0.0625, 0.125, 0.25, 0.5)]
        np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_words_depend_on_the_place_in_the_stream_only() -> None:
    whole = words_of(99, 0, 10, 23)
    assert whole.shape == (10, 24)
    assert np.array_equal(whole[4:7], words_of(99, 4, 7, 23))
    assert len(np.unique(whole)) == whole.size


@needs_kernels
def test_the_environment_chooses_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "portable")
    assert kernels() is None
    assert build_index(np.eye(3)).compiled is None
    monkeypatch.setenv(SWITCH, "plain")
    library = kernels()
    assert library is not None
    assert library.variant == "plain"
    monkeypatch.setenv(SWITCH, "fastest")
    with pytest.raises(EngineError, match="portable, plain, avx2, avx512"):
        kernels()


def test_points_with_very_many_axes_take_the_portable_path() -> None:
    points = cloud("spread", 40, 200, 3)
    index = build_index(points)
    assert index.compiled is None
    assert nearest(index, points, 1)[1].ravel().tolist() == list(range(40))


@pytest.mark.parametrize("workers", ["1", "2", "7", "none"])
def test_every_part_is_done_once_and_errors_are_raised(workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", workers)
    done: list[tuple[int, int]] = []
    in_parallel(lambda first, last: done.append((first, last)), 10, 4)
    assert sorted(done) == [(0, 4), (4, 8), (8, 10)]

    def fail(first: int, last: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        in_parallel(fail, 10, 4)


def test_a_package_without_its_library_works(tmp_path: Path) -> None:
    program = (
        "import avatar_gitops.engine.kernels.library as library, pathlib;"
        f"library._FILE = pathlib.Path({str(tmp_path / 'libavatar.so')!r});"
        "import numpy as np; from avatar_gitops.engine.search import build_index, nearest;"
        "points = np.arange(4.0)[:, None]; index = build_index(points);"
        "print(index.compiled, nearest(index, points, 1)[1].ravel().tolist())"
    )
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "None [0, 1, 2, 3]"


@needs_kernels
def test_a_plain_run_loads_nothing_slow(tmp_path: Path) -> None:
    """pandas, SciPy and scikit-learn each cost as much time as a hundred thousand avatars."""
    program = (
        "import sys;"
        "from avatar_gitops.engine.params import AvatarParams;"
        "from avatar_gitops.engine.run import avatarize;"
        "from avatar_gitops.engine.tables import read_table, write_table;"
        "text = 'x,y,g\\n' + ''.join(f'{i % 7},{i / 3},{chr(97 + i % 3)}\\n' for i in range(60));"
        "table = read_table(text.encode());"
        f"write_table(avatarize(table, [], AvatarParams(5), 1).shuffled, {str(tmp_path / 'made.csv')!r});"
        "print(sorted({'pandas', 'scipy', 'sklearn', 'saiph', 'pykdtree', 'opendp'} & sys.modules.keys()))"
    )
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
