"""The first page: what this is and where to go."""

from __future__ import annotations

from markupsafe import Markup

from services.gateway.pages.frame import framed
from services.kernel.text import Sentence
from services.runtime.language import say

_COMMANDS = "make run\nimece demo\nimece deadline --help"

_BODY = Markup(
    "<header><h1>İmece</h1></header>\n<main>\n<p>{what}</p>\n<p>{state}</p>\n"
    '<ul>\n<li><a href="/api/docs">{docs}</a></li>\n<li><a href="/api/v1/openapi.json">{openapi}</a></li>\n'
    '<li><a href="/readyz">{ready}</a></li>\n</ul>\n'
    "<h2>{commands}</h2>\n<pre><code>{lines}</code></pre>\n<p>{readme}</p>\n</main>"
)


def page(language: str) -> str:
    """The page in `language`."""

    def text(template: str) -> str:
        return say(Sentence(template), language)

    body = _BODY.format(
        what=text(
            "Cooperation protocols between municipalities and civil society organisations, "
            "from draft to force, run as the law says."
        ),
        state=text("There are no pages for daily work yet; everything works through the interface below."),
        docs=text("The interface, explained"),
        openapi=text("The interface for programs (OpenAPI 3.1)"),
        ready=text("Is it ready?"),
        commands=text("Commands"),
        lines=_COMMANDS,
        readme=text("The file README.md says what each does and what to try first."),
    )
    return framed("İmece", body, language)
