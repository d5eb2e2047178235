"""The one error tree.  Each error knows its status, title and what a caller can do about it.

``service.api.problems`` turns them into responses: problem details, RFC 9457.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ServiceError(Exception):
    """An error that the caller is told about.

    Args:
        detail: What happened, for a person.
        retry_after: Seconds after which another try makes sense.
        headers: Further headers of the response.
        extra: Further members of the problem: ``errors``, ``limit``, ``observed``, ``checks``, ``scope``.
    """

    status: ClassVar[int] = 500
    name: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    remedy: ClassVar[str] = "A fault of the service.  The request id finds it in the log."

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after = retry_after
        self.headers = headers or {}
        self.extra = extra


class BadJSON(ServiceError):
    """The body is not JSON as it should be."""

    status, name, title = 400, "bad-json", "The body is not valid JSON"
    remedy = "Send one JSON object in UTF-8, every key once."


class BadRequest(ServiceError):
    """The request is broken before anyone looks at its body."""

    status, name, title = 400, "bad-request", "The request cannot be understood"
    remedy = "Look at the detail, and at openapi.yaml for what a request looks like."


class Unauthorized(ServiceError):
    """Nobody knows who is asking."""

    status, name, title = 401, "unauthorized", "An API key is needed"
    remedy = "Send Authorization: Bearer and a key, or X-API-Key; whosaid keys create makes one."


class Forbidden(ServiceError):
    """The key does not open this door."""

    status, name, title = 403, "forbidden", "The API key may not do this"
    remedy = "Use a key with the scope that the member scope names."


class NotFound(ServiceError):
    """There is nothing at this address."""

    status, name, title = 404, "not-found", "There is nothing here"
    remedy = "Check the path; openapi.yaml lists all of them."


class MethodNotAllowed(ServiceError):
    """The address does not take this method."""

    status, name, title = 405, "method-not-allowed", "This method is not allowed here"
    remedy = "Use one of the methods that the Allow header lists."


class NotAcceptable(ServiceError):
    """The resource is not there in the form that is asked for."""

    status, name, title = 406, "not-acceptable", "This is not there in such a form"
    remedy = "Ask for one of the forms that the detail names, by the Accept header or by format= in the address."


class Conflict(ServiceError):
    """What is asked for does not go with what is stored."""

    status, name, title = 409, "conflict", "This does not go with what is stored"
    remedy = "Look at what the detail names, and change one of the two."


class Held(ServiceError):
    """The same request is being worked on."""

    status, name, title = 409, "in-progress", "The same request is being worked on"
    remedy = "Send it again after as many seconds as the Retry-After header says; the answer will be the first one's."


class Outdated(ServiceError):
    """The resource is not what the caller has seen."""

    status, name, title = 412, "changed", "This has changed since you looked"
    remedy = "Get it again, look whether your change still makes sense, and send it with the new ETag."


class TooLarge(ServiceError):
    """The body is longer than the limit."""

    status, name, title = 413, "too-large", "The body is too large"
    remedy = "Send less at once, or raise the limit that the problem names."


class WrongContentType(ServiceError):
    """The body is of a type that is not read here."""

    status, name, title = 415, "wrong-content-type", "The body has the wrong content type"
    remedy = "Send application/json, in UTF-8, as it is or with Content-Encoding: gzip."


class Invalid(ServiceError):
    """Fields have values that they cannot have."""

    status, name, title = 422, "invalid", "Some fields are not valid"
    remedy = "The member errors names each field and what is wrong with it."


class Reused(ServiceError):
    """An idempotency key names one request."""

    status, name, title = 422, "key-reused", "The Idempotency-Key belongs to another request"
    remedy = "Make a new key for each new request; the same one only repeats a request as it was."


class Overloaded(ServiceError):
    """Too many requests wait already."""

    status, name, title = 429, "overloaded", "Too many requests are waiting"
    remedy = "Send the request again after as many seconds as the Retry-After header says."


class RateLimited(ServiceError):
    """The key has used up what it may send in a minute, or have read in a day."""

    status, name, title = 429, "rate-limited", "The API key has reached its limit"
    remedy = "Send the request again after as many seconds as the Retry-After header says."


class DeadlinePassed(ServiceError):
    """The request waited too long for its turn, and was not read."""

    status, name, title = 503, "deadline-passed", "The request has waited for too long"
    remedy = "Send the request again after as many seconds as the Retry-After header says, and fewer at once."


class NoSpace(ServiceError):
    """There is no room for what was sent."""

    status, name, title = 507, "no-space", "There is no room for this"
    remedy = "Nothing was kept.  Make room on the disk of the service, or send less."


class Unreadable(ServiceError):
    """An article of a batch that workers do not survive."""

    status, name, title = 500, "unreadable", "The article cannot be read"
    remedy = "A fault of the service, which went on without the article.  Please report it with the article."


class NotReady(ServiceError):
    """The service cannot read articles now."""

    status, name, title = 503, "not-ready", "The service is not ready"
    remedy = "Wait until /readyz answers 200."


KINDS: tuple[type[ServiceError], ...] = (
    BadRequest, BadJSON, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, Held, Conflict, Outdated,
    TooLarge, WrongContentType, Reused, Invalid, RateLimited, Overloaded, DeadlinePassed, NoSpace, NotReady, Unreadable,
    ServiceError,
)  # fmt: skip
