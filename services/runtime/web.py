"""The HTTP door: nameko's web server, made fit for strangers.

Mended here: bodies without limit, bodies in chunks, clients that send a header or a body drop by
drop, connections that go on after a refusal, running out of file descriptors, exception texts in
answers (measured in the project's first trials), forms with files that are read into memory.
"""

from __future__ import annotations

import errno
import json
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from time import perf_counter
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event
from eventlet.timeout import Timeout
from eventlet.wsgi import HttpProtocol, Server
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint
from nameko.web.server import HttpOnlyProtocol
from nameko.web.server import WebServer as NamekoWebServer
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Request, Response

from services.runtime import log, metric
from services.runtime.form import MIMETYPE as FORM
from services.runtime.form import Form, NoRoom, Taking, Unreadable, receive
from services.runtime.rpc import ordinary_failures, settings_of

logger = logging.getLogger(__name__)

HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
FORM_SECONDS = 900.0
"""For a form with files, in which a service agreed to before it was read."""
IDLE_SECONDS = 60.0
LINGER_SECONDS = 2.0
MOST_CONNECTIONS = 1_000
MOST_FORMS = 4
"""Forms with files that are on their way at the same time, in one process; each may fill some disk."""
ROUTE = "imece.route"
"""Key of the WSGI environment under which the service leaves the matched route, for metrics."""
ANNOUNCED = "imece.announced"
"""Key of the WSGI environment that stands there while a form's header alone is shown to the service."""
RECEIVED = "imece.form"
"""Key of the WSGI environment under which the service finds the Form that it agreed to."""
_CHUNKED = "wsgi.input_terminated"
_CLOSE = "imece.close"
"""Key of the function that ends the connection after the answer."""
_CORRELATION_HEADER = "X-Correlation-Id"
_LONGEST_CORRELATION_ID = 64


class TooSlow(Exception):
    """The client took too long to send its request."""


class _Protocol(HttpOnlyProtocol):
    """HTTP with limits on the time that each part of a request may take, and an end when an answer says so."""

    _rest_unread = False

    def _read_request_line(self) -> Any:
        with Timeout(IDLE_SECONDS, TooSlow("request line")):
            return super()._read_request_line()

    def parse_request(self) -> bool:
        with Timeout(HEADER_SECONDS, TooSlow("header")):
            return bool(super().parse_request())

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        if environ["eventlet.input"].chunked_input:
            environ[_CHUNKED] = True  # eventlet's input ends where the last chunk does
        environ[_CLOSE] = self._close_after_answer
        return environ

    def _close_after_answer(self) -> None:
        # eventlet does not heed the header "Connection: close" of an answer; it would read on for ever.
        self.close_connection = 1
        self._rest_unread = True

    def finish(self) -> None:
        if self._rest_unread:
            self._linger()
        super().finish()

    def _linger(self) -> None:
        """Read on for a moment: closing with unread bytes resets the connection and takes the answer along."""
        with suppress(OSError), Timeout(LINGER_SECONDS, exception=False):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            while self.connection.recv(65536):
                continue


class WebServer(NamekoWebServer):
    """Accepts connections and keeps accepting them."""

    _starting: bool

    def __init__(self) -> None:
        self._connections = 0
        super().__init__()

    @property
    def bind_addr(self) -> tuple[str, int]:
        host, _, port = settings_of(self.container).http_address.rpartition(":")
        return host, int(port)

    def start(self) -> None:
        if self._starting:
            return
        self._starting = True
        # Several gateway processes may share the address in distributed mode; embedded, two would share one database.
        distributed = settings_of(self.container).mode == "distributed"
        self._sock = eventlet.listen(self.bind_addr, backlog=512, reuse_addr=True, reuse_port=distributed)
        self._sock.settimeout(None)
        self._serv = self.get_wsgi_server(self._sock, self.get_wsgi_app())
        self._gt = self.container.spawn_managed_thread(self.run)

    def run(self) -> None:
        while self._is_accepting:
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED, errno.ENOBUFS, errno.ENOMEM):
                    raise
                logger.warning("a connection could not be accepted", extra={"cause": str(error)})
                eventlet.sleep(0.1)
                continue
            if self._connections >= MOST_CONNECTIONS:
                sock.close()
                continue
            sock.settimeout(IDLE_SECONDS)
            self.container.spawn_managed_thread(partial(self.process_request, sock, address))

    def process_request(self, sock: Any, address: Any) -> None:
        self._connections += 1
        try:
            super().process_request(sock, address)
        except (TooSlow, OSError) as error:
            logger.info("a connection ended early", extra={"cause": str(error)})
            sock.close()
        finally:
            self._connections -= 1

    def get_wsgi_server(
        self,
        sock: Any,
        wsgi_app: Any,
        protocol: type[HttpProtocol] = _Protocol,
        debug: bool = False,  # noqa: FBT001, FBT002 - nameko's signature
    ) -> Server:
        return Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=protocol,
            debug=debug,
            log=logging.getLogger("services.runtime.web.lines"),
            log_output=False,
            socket_timeout=IDLE_SECONDS,
            url_length_limit=8192,
        )

    def get_wsgi_app(self) -> Callable[..., Any]:
        (door,) = self._providers

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            return door.handle_request(Request(environ))(environ, start_response)

        hops = settings_of(self.container).trusted_proxies
        return ProxyFix(answer, x_for=hops, x_proto=hops, x_host=0) if hops else answer


class HttpDoor(Entrypoint):
    """Every request of every path; see `http_door`."""

    server = WebServer()

    def __init__(self, **settings: Any) -> None:
        self._forms = 0
        super().__init__(**settings)

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)

    def handle_request(self, request: Request) -> Response:
        """Read the whole request here, then run the method in a worker."""
        began = perf_counter()
        identifier = log.correlate(_believable(request.headers.get(_CORRELATION_HEADER)), self.container.service_name)
        response = self._respond(request, identifier)
        response.headers[_CORRELATION_HEADER] = identifier
        seconds = perf_counter() - began
        route = f"{request.method} {request.environ.get(ROUTE, 'unknown')}"
        metric.ENTRYPOINT_SECONDS.labels(
            self.container.service_name, route, f"{response.status_code // 100}xx"
        ).observe(seconds)
        # The route and not the path: paths hold tracking codes and search words.
        logger.info("answered", extra={"route": route, "status": response.status_code, "seconds": round(seconds, 4)})
        return response

    def _respond(self, request: Request, identifier: str) -> Response:
        if request.mimetype == FORM:
            # Who sends it is asked first: strangers must not fill the disk.
            request.environ[ANNOUNCED] = True
            said = self._work(request, identifier)
            del request.environ[ANNOUNCED]
            if isinstance(said, Response):
                return _closing(request, said)
            if said is not None:
                return self._take_form(request, said, identifier)
        refusal = self._read(request)
        return refusal or self._answered(request, identifier)

    def _read(self, request: Request) -> Response | None:
        """Read the whole body; a refusal when that cannot be."""
        request.max_content_length = settings_of(self.container).max_body_kilobytes * 1024
        try:
            with Timeout(BODY_SECONDS, TooSlow("body")):
                request.get_data(cache=True)
                if request.environ.get(_CHUNKED) and request.environ["wsgi.input"].read(1):
                    raise RequestEntityTooLarge  # noqa: TRY301 - werkzeug cuts chunks off at the limit without a word
        except (RequestEntityTooLarge, TooSlow, HTTPException, OSError, ValueError) as error:
            return _unread(request, error)
        return None

    def _take_form(self, request: Request, taking: Taking, identifier: str) -> Response:
        """Read a form with files as the service allows, then let it answer."""
        if self._forms >= MOST_FORMS:
            return _closing(
                request,
                problem(
                    503,
                    "unavailable",
                    "Şu anda çok sayıda dosya yükleniyor; biraz sonra yeniden deneyin. / "
                    "Many files are being sent at the moment; try again a little later.",
                ),
            )
        self._forms += 1
        form: Form | None = None
        try:
            with Timeout(FORM_SECONDS, TooSlow("form")):
                form = receive(request, taking.limit, taking.folder)
            request.environ[RECEIVED] = form
            return self._answered(request, identifier)
        except (RequestEntityTooLarge, TooSlow, HTTPException, OSError, ValueError, Unreadable) as error:
            return _unread(request, error)
        except NoRoom as error:
            logger.error("no room for a file", extra={"cause": str(error.__cause__)})  # noqa: TRY400 - the cause says all
            return _closing(
                request,
                problem(503, "unavailable", "Dosya için yer yok. / There is no room for the file."),
            )
        finally:
            self._forms -= 1
            if form is not None:
                form.close()

    def _answered(self, request: Request, identifier: str) -> Response:
        """What the service answers to a request that was read."""
        response = self._work(request, identifier)
        if not isinstance(response, Response):
            message = f"{self.method_name} answered with no response"
            raise TypeError(message)
        return response

    def _work(self, request: Request, identifier: str) -> Any:
        """What the method gives back, from a worker of its own; a problem when it fails."""
        done = Event()

        def finish(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send((result, exc_info))
            return result, exc_info

        try:
            self.container.spawn_worker(
                self, (request,), {}, context_data={"correlation_id": identifier}, handle_result=finish
            )
        except ContainerBeingKilled:
            return problem(503, "unavailable", "Sunucu kapanıyor. / The server is shutting down.")
        result, exc_info = done.wait()
        if exc_info is None:
            return result
        return problem(
            500,
            "internal_error",
            f"Beklenmeyen bir hata oluştu ({identifier}). / Something unexpected happened ({identifier}).",
        )


def _unread(request: Request, error: Exception) -> Response:
    """The answer to a request that could not be read to its end."""
    if isinstance(error, RequestEntityTooLarge):
        refusal = problem(413, "payload_too_large", "İstek gövdesi çok büyük. / The request body is too large.")
    elif isinstance(error, TooSlow):
        refusal = problem(408, "request_timeout", "İstek çok yavaş geldi. / The request arrived too slowly.")
    else:
        refusal = problem(400, "bad_request", "İstek okunamadı. / The request could not be read.")
    return _closing(request, refusal)


def problem(status: int, code: str, detail: str) -> Response:
    """An RFC 9457 answer for what goes wrong before the service is reached."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
    return Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/problem+json")


def _closing(request: Request, response: Response) -> Response:
    """The rest of the request was not read, so the connection cannot serve another."""
    request.environ[_CLOSE]()
    return response


def _believable(identifier: str | None) -> str | None:
    """A caller's correlation id, when it is short and plain enough for our logs."""
    if (
        identifier
        and len(identifier) <= _LONGEST_CORRELATION_ID
        and identifier.replace("-", "").isalnum()
        and identifier.isascii()
    ):
        return identifier
    return None


M = TypeVar("M", bound=Callable[..., Any])


def http_door(method: M) -> M:
    """Give every HTTP request to the method: it takes a werkzeug Request and returns a Response.

    The body has been read before and is within the limit. The method leaves the matched route
    template in `request.environ[ROUTE]`.

    A form (multipart/form-data) is shown twice. First its header alone, with `ANNOUNCED` in the
    environment and nothing to read: the method returns a Response that refuses it, or `Taking`, or
    None to treat it like any other body. After `Taking` the form is in `request.environ[RECEIVED]`,
    and its files are closed after the answer.
    """

    @wraps(method)
    def handle(*args: Any, **kwargs: Any) -> Any:
        with ordinary_failures():
            return method(*args, **kwargs)

    return HttpDoor.decorator(handle)  # type: ignore[no-any-return]
