"""Whole numbers as callers write them: in headers, addresses, bodies."""

from __future__ import annotations


def number_in(text: str, most: int) -> int | None:
    """The number that ASCII digits say, at most `most`; None when the text is something else.

    Python itself takes digits of every alphabet, and raises an error for thousands of them.
    """
    if not (text.isascii() and text.isdecimal()):
        return None
    digits = text.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)
