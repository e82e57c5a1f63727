"""Characters that a text cannot have: halves of a pair, and what no database or no XML holds."""

from __future__ import annotations

import re
from typing import Final

SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a pair of UTF-16, which is no character and cannot be written as UTF-8."""

NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
"""What no database and no answer can hold."""

NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow, so no SVG either."""
