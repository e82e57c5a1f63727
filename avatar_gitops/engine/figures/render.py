"""Vega-Lite documents as pages that need no network, and as pictures for reports (by vl-convert, no browser)."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from avatar_gitops.characters import NO_XML

Locale = Literal["en-US", "fr-FR"]

_VEGA_LITE: Final = "v5.21"
_SCALE: Final = 2.0  # pixels of a picture per pixel of the document

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
{style}<script>{libraries}</script>
</head>
<body>
<main id="figure"></main>
<script>
const actions = {{export: true, source: false, compiled: false, editor: false}};
vegaEmbed("#figure", {spec}, {{mode: "vega-lite", actions, renderer: "{renderer}"}}){then};
</script>
</body>
</html>
"""
# Expressions of a figure are compiled by Vega, hence 'unsafe-eval'; nothing is loaded from anywhere.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)

# In a frame the figure shrinks to the width there is, and tells the page around it how high it is then.
_FITTED_STYLE: Final = """\
<style>
body {margin: 0; padding: 8px; overflow-x: hidden}
#figure, #figure svg {max-width: 100%; height: auto}
</style>
"""
_FITTED_THEN: Final = """.then(() => {
  const tell = () => parent.postMessage({figureHeight: document.documentElement.offsetHeight + 4}, "*");
  new ResizeObserver(tell).observe(document.body);
})"""


def to_page(spec: Mapping[str, Any], title: str, *, fitted: bool = False) -> str:
    """A self-contained HTML page with the interactive figure; a `fitted` one is made for a frame of any width."""
    return _PAGE.format(
        policy=_POLICY,
        style=_FITTED_STYLE if fitted else "",
        renderer="svg" if fitted else "canvas",
        then=_FITTED_THEN if fitted else "",
        title=html.escape(title),
        libraries=_libraries().replace("</script", "<\\/script"),
        spec=json.dumps(_drawable(spec), ensure_ascii=True, allow_nan=False).replace("<", "\\u003c"),
    )


def to_png(spec: Mapping[str, Any], locale: Locale = "en-US") -> bytes:
    """The figure as a PNG picture, drawn as the page shows it first; `locale` is that of its numbers and dates."""
    import vl_convert

    made = vl_convert.vegalite_to_png(
        _drawable(spec), vl_version=_VEGA_LITE, scale=_SCALE, format_locale=locale, time_format_locale=locale
    )
    return bytes(made)


def to_svg(spec: Mapping[str, Any]) -> str:
    """The figure as an SVG picture, drawn as the page shows it first."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_drawable(spec), vl_version=_VEGA_LITE))


def _drawable(part: Any) -> Any:
    """A document, or a part of one, with a sign in place of each character that no picture can show.

    The library that draws would end the whole process at such a character.
    """
    if isinstance(part, str):
        return NO_XML.sub("\ufffd", part)
    if isinstance(part, Mapping):
        return {_drawable(name): _drawable(value) for name, value in part.items()}
    return [_drawable(item) for item in part] if isinstance(part, list | tuple) else part


@functools.cache
def _libraries() -> str:
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=_VEGA_LITE))
