"""A CSV that ends in an open quotation mark is refused by every reader, and no other CSV is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.large.source import open_source, settle
from avatar_gitops.engine.tables import read_table
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.workspace.inputs import read_shape

OPEN = (
    'a,b\n1,"x\n2,y\n',
    'a,b\n1,"x\n2,y',
    'a,b\r\n1,"x\r\n2,y\r\n',
    'a,b\n1,5" pipe\n2,"y\n3,k\n',  # an even number of marks
    'a,b\n1,"x""\n2,y\n',
    'a,b\n1,2\n3,"4',
    'a,b\n1,2\n3,"4\n',
    'a,b\n1,2\n3,"',
    'a,b\n1,x\n3,"\n',
    'a,b\n1,2020-01-01\n3,"2020-01-02',
    'a;b\n1;"x,y\n2;z\n',
    'a\n"x\ny\n',
    'a,b\n"1\n",x\n2,"é\n3,ü\n',
    'a,b\n1,x\n2,"NA',
    'a,b\n1,2020-01-01T00:00:00.000000001\n3,"2020-01-02T00:00:00.000000001',
)
CLOSED = (
    'a,b\n1,"x\n2,y"\n',
    'a,b\n1,"x"',
    'a,b\n1,""\n',
    'a,b\n1,"x""y"\n',
    'a,b\n1,"say ""x"""\n',
    'a,b\n1,5" pipe\n2,y\n',
    'a,b\n1,x\n2,5"\n',
    'a,b\n1,x\n2, "y\n',
    'a,b\n1,"x"y"z\n',
    'a,b\n1,"x,""y"\n',
    'a,b\n1,"line\n\n"\n',
    'a,b\n1,""""\n',
    'a,b\n1,2\n"3",4\n',
    'a,b\n1,"2"\n3,"4"\n',
    'a\n"x"\n\n',
    "a,b\n1,2020-01-01T00:00:00.000000001\n",
)


def small(path: Path) -> None:
    read_table(path)


def from_bytes(path: Path) -> None:
    read_table(path.read_bytes())


def large(path: Path) -> None:
    settle(open_source(path))


def header(path: Path) -> None:
    read_shape(path)


READERS = (small, from_bytes, large, header)


def refused(reader: Callable[[Path], None], path: Path) -> AvatarGitOpsError | None:
    try:
        reader(path)
    except AvatarGitOpsError as error:
        return error
    return None


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", OPEN)
def test_an_open_quotation_is_refused_with_a_cure_and_no_value(
    tmp_path: Path, text: str, reader: Callable[[Path], None]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    error = refused(reader, path)
    assert error is not None
    assert "a quotation mark is opened and not closed, so the end of the file is one cell" in error.message
    assert (error.hint or "").lower().rstrip(".") == (
        'close the quotation mark, and write one inside a quoted text twice ("")'
    )


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", CLOSED)
def test_closed_quotations_and_marks_inside_a_text_are_read(
    tmp_path: Path, text: str, reader: Callable[[Path], None]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    assert refused(reader, path) is None


def test_a_header_that_is_left_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,"b\n1,2\n')
    assert "quotation mark is opened" in str(refused(header, path))
    assert all(refused(reader, path) is not None for reader in READERS)


@pytest.mark.parametrize("reader", [small, from_bytes, large])
def test_a_quotation_left_open_far_before_the_end_is_refused(tmp_path: Path, reader: Callable[[Path], None]) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"x\n' + "2,y\n" * 1_000_000)
    assert "quotation mark is opened" in str(refused(reader, path))


def opens(text: str) -> bool:
    """By a state machine over every sign: whether the text ends inside quotation marks."""
    state = "start"
    for sign in text:
        if state == "quoted":
            state = "mark" if sign == '"' else "quoted"
        elif sign in ",\n":
            state = "start"
        elif sign == '"' and state in ("start", "mark"):
            state = "quoted"
        else:
            state = "plain"
    return state == "quoted"


CELLS = st.text(st.sampled_from('"" x1\n,'), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=4), CELLS)
def test_readers_agree_with_a_state_machine(rows: list[tuple[str, str]], end: str) -> None:
    text = "a,b\n" + "".join(f"{left},{right}\n" for left, right in rows) + f"1,{end}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_text(text, newline="")
        for reader in (small, large):
            error = refused(reader, path)
            if opens(text):
                assert error is not None, text
            elif error is not None:
                assert "quotation mark is opened" not in error.message, text
