"""The refusals that only the door makes, and the one table from refusal to HTTP status.

ImeceError
├── Unauthenticated        no valid sign-in                              401
├── MethodNotAllowed       the path exists, the method does not          405
├── PayloadTooLarge        the body is larger than the setting           413
├── UnsupportedMediaType   the body is not of the kind the path takes    415
├── PreconditionRequired   a write without If-Match                      428
└── Throttled              too many failed sign-ins, or requests         429
"""

from __future__ import annotations

from collections.abc import Sequence

from services.kernel.errors import (
    Conflict,
    Forbidden,
    ImeceError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)
from services.kernel.text import Sentence


class Unauthenticated(ImeceError):
    """No sign-in, a wrong password, or a sign-in that has ended."""

    code = "unauthenticated"


class MethodNotAllowed(ImeceError):
    """The path exists but takes other methods; `allowed` names them."""

    code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(sorted(allowed))
        super().__init__(Sentence("This address takes {methods} only.", methods=", ".join(self.allowed)))


class PayloadTooLarge(ImeceError):
    """The body is larger than this installation takes."""

    code = "payload_too_large"

    def __init__(self) -> None:
        super().__init__(Sentence("The request is larger than this installation takes."))


class UnsupportedMediaType(ImeceError):
    """The body is not JSON, or not a form where a file is taken."""

    code = "unsupported_media_type"

    def __init__(self, *, form: bool = False) -> None:
        super().__init__(
            Sentence("Send the body as a form with a file, with the header Content-Type: multipart/form-data.")
            if form
            else Sentence("Send the body as JSON, with the header Content-Type: application/json.")
        )


class PreconditionRequired(ImeceError):
    """A change came without saying which version it was made from."""

    code = "precondition_required"

    def __init__(self) -> None:
        super().__init__(
            Sentence('Say which version you have seen: send its number in the header If-Match, for example "3".')
        )


class Throttled(ImeceError):
    """Too many failed sign-ins, too many requests without one or of one office; `seconds` is how long to wait."""

    code = "throttled"

    def __init__(self, seconds: int, *, requests: bool = False, office: bool = False) -> None:
        self.seconds = seconds
        why = Sentence("Too many failed sign-ins. Wait {seconds} seconds and try again.", seconds=seconds)
        if requests:
            why = Sentence(
                "Too many requests from this address. Wait {seconds} seconds and try again.", seconds=seconds
            )
        if office:
            why = Sentence("Too many requests from this office. Wait {seconds} seconds and try again.", seconds=seconds)
        super().__init__(why)


STATUS: dict[type[ImeceError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Refused: 409,
    Conflict: 412,
    PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    Invalid: 422,
    PreconditionRequired: 428,
    Throttled: 429,
    Unavailable: 503,
}
"""HTTP status of every deliberate refusal; a subclass takes its parent's."""

TITLE: dict[int, Sentence] = {
    400: Sentence("The request cannot be read"),
    401: Sentence("Sign in first"),
    403: Sentence("Not allowed"),
    404: Sentence("Not found"),
    405: Sentence("Not with this method"),
    408: Sentence("The request took too long"),
    409: Sentence("Refused by a rule"),
    412: Sentence("Changed in the meantime"),
    413: Sentence("Too large"),
    415: Sentence("Wrong kind of body"),
    422: Sentence("The input needs correction"),
    428: Sentence("A version is needed"),
    429: Sentence("Too many attempts"),
    500: Sentence("A fault in the software"),
    503: Sentence("Not available at the moment"),
}
"""A short title for every status that a problem can have."""


def status_of(error: ImeceError) -> int | None:
    """The status of `error`, or None when nobody decided on one, which is a bug."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
