"""The deliberate refusals.

    ImeceError
    ├── Invalid       the input cannot be right, whatever the state       422
    ├── Forbidden     the caller may see it but not do this               403
    ├── NotFound      it is not there, or not the caller's to see         404
    ├── Conflict      it has changed since the caller looked              412
    ├── Refused       a rule of law or of the procedure says no           409
    └── Unavailable   a part that must be asked does not answer           503

Anything else that is raised is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from services.kernel.text import Sentence, sentence


class ImeceError(Exception):
    """A refusal with one sentence for the person and details for the program.

    `details` is JSON-able. Known keys: `errors` (list of {field, message}, where
    message is a plain sentence), `reasons` (list of plain sentences with `article`),
    `version` (the current one, of a Conflict).
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str | Sentence, details: Mapping[str, Any] | None = None, *, code: str = "") -> None:
        self.message = sentence(message)
        self.details = dict(details or {})
        self.stable_code = code or self.code
        super().__init__(str(self.message))


class Invalid(ImeceError):
    """The input cannot be right; `details["errors"]` names each field."""

    code = "invalid"

    @classmethod
    def fields(cls, errors: Iterable[tuple[str, Sentence]]) -> Invalid:
        """One error for several fields."""
        found = [{"field": name, "message": message.to_plain()} for name, message in errors]
        return cls(Sentence("Some fields need correction."), {"errors": found})

    @classmethod
    def field(cls, name: str, message: Sentence) -> Invalid:
        """One error for one field."""
        return cls.fields([(name, message)])


class Forbidden(ImeceError):
    """The caller may see the thing but not do this with it."""

    code = "forbidden"


class NotFound(ImeceError):
    """The thing is not there, or belongs to someone else."""

    code = "not_found"


class Conflict(ImeceError):
    """The thing changed since the caller looked; `details["version"]` is the current version."""

    code = "conflict"


class Refused(ImeceError):
    """A rule says no; `details["reasons"]` lists every reason with its article."""

    code = "refused"


class Unavailable(ImeceError):
    """A part that must be asked before deciding does not answer; try again later."""

    code = "unavailable"


def error_to_plain(error: ImeceError) -> dict[str, Any]:
    """The error as it travels between services."""
    return {
        "kind": type(error).__name__,
        "code": error.stable_code,
        "message": error.message.to_plain(),
        "details": error.details,
    }


_KINDS: dict[str, type[ImeceError]] = {
    kind.__name__: kind for kind in (Invalid, Forbidden, NotFound, Conflict, Refused, Unavailable)
}


def error_from_plain(plain: Mapping[str, Any]) -> ImeceError:
    """The error that `error_to_plain` wrote."""
    kind = _KINDS.get(plain["kind"], ImeceError)
    return kind(Sentence.from_plain(plain["message"]), plain["details"], code=plain["code"])
