"""The frame of every page: one stylesheet inside, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 4rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h2 { border-top: 1px solid; margin-top: 3rem; padding-top: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.925em; }
pre { border: 1px solid; overflow-x: auto; padding: 0.75rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid; padding: 0.35rem 0.6rem; text-align: start; vertical-align: top; }
.wide { overflow-x: auto; }
p, li { overflow-wrap: anywhere; }
.method { font-weight: 700; }
button { font: inherit; padding: 0.5rem 1rem; }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid; outline-offset: 2px; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the pages: their own stylesheet and nothing else."""

_FRAME = Markup(
    "<!doctype html>\n"
    '<html lang="{language}">\n'
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}</title><style>{style}</style></head>\n"
    "<body>\n{body}\n</body>\n</html>\n"
)


_SAFE_STYLE = Markup(STYLE)  # noqa: S704 - our own constant


def framed(title: str, body: Markup, language: str) -> str:
    """A whole page."""
    return str(_FRAME.format(language=language, title=title, style=_SAFE_STYLE, body=body))
