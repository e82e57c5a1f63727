"""The laws of planning, and the mark of a property test that states one of them.

`make laws` tries each on the number of examples of the profile `laws`; otherwise a test says how many are enough for
everyday use. A further `@settings` on such a test would decide over the profile, so that there must be none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings

Test = TypeVar("Test", bound=Callable[..., Any])

PROFILE: Final = "laws"
EVERYDAY: Final = "everyday"
EXAMPLES: Final = 1_000
LAWS: Final = {
    1: "applying a plan and planning again gives an empty plan",
    2: "order of specs, keys and comments never changes a digest; any consequential field always does",
    3: "a change of class metadata never produces a launch",
    4: "no plan contains a delete of a set that this project does not own",
    5: "select and exclude split a plan: their union is the whole, their intersection is empty",
    6: "a protected set is neither deleted nor relaunched unless named in the options",
    7: "a weaker change is never reported as neutral",
    8: "every step of --explain is a step of execute, in the same order",
    9: "an interrupted apply followed by resume ends in the same observed state as an uninterrupted one",
    10: "no output of any command contains a value of the canary table",
}


def register() -> None:
    """Make the profile known, so that `--hypothesis-profile=laws` finds it: the same examples for the same code.

    Everyday runs draw new examples each time, so that what is rare is found by somebody who can look at it.
    Where none is chosen, making the first examples may take long: in a fresh clone it also makes tables of characters.
    """
    settings.register_profile(PROFILE, max_examples=EXAMPLES, deadline=None, derandomize=True)
    if settings.get_current_profile_name() == "default":
        settings.register_profile(EVERYDAY, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile(EVERYDAY)


def law(number: int, examples: int = 40) -> Callable[[Test], Test]:
    """Mark a property test as a statement of a law; it is tried on `examples` unless the profile is loaded."""
    assert number in LAWS, f"there is no law {number}"
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    everyday = {} if settings.get_current_profile_name() == PROFILE else {"max_examples": examples}
    tried = settings(deadline=None, suppress_health_check=slow, **everyday)  # type: ignore[arg-type]
    stated = pytest.mark.law(number)

    def mark(test: Test) -> Test:
        marked: Test = stated(tried(test))
        return marked

    return mark
