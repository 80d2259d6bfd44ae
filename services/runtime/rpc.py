"""Questions between services: asked with a time limit, answered with a result or a refusal.

nameko's own client waits for ever and its server sends exception texts; both are mended here.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from amqp.exceptions import AMQPError
from eventlet.event import Event
from eventlet.timeout import Timeout
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint
from nameko.messaging import QueueConsumer as NamekoQueueConsumer
from nameko.rpc import ReplyListener as NamekoReplyListener
from nameko.rpc import RpcConsumer as NamekoRpcConsumer

from services.kernel.errors import ImeceError, Unavailable, error_from_plain, error_to_plain
from services.kernel.text import Sentence
from services.runtime import log, metric
from services.runtime.amqp import PUBLISH_ERRORS, NotConfirmed, Parcel, Unroutable, pool_of, to_json
from services.runtime.embedded import SWITCHBOARD
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

SETTINGS = "IMECE"
"""Key of our Settings in a nameko container's config."""
RPC_EXCHANGE = "nameko-rpc"


class Bug(Exception):
    """The asked service failed in a way it did not mean to; its own log says how."""


class TimeRanOut(Exception):
    """A time limit inside a method ran out."""


@contextmanager
def ordinary_failures() -> Iterator[None]:
    """Make eventlet's Timeout an ordinary exception.

    It is a BaseException, which nameko does not see: the worker would vanish and its message stay
    neither acknowledged nor put back.
    """
    try:
        yield
    except Timeout as error:
        raise TimeRanOut(str(error)) from error


def settings_of(container: Any) -> Settings:
    """The settings that the container was started with."""
    found: Settings = container.config[SETTINGS]
    return found


def is_embedded(container: Any) -> bool:
    """True when no broker is used."""
    return settings_of(container).mode == "embedded"


class QueueConsumer(NamekoQueueConsumer):
    """nameko's consumer, which hands over raw messages and keeps still in embedded mode.

    Raw, because a message that cannot be decoded must reach its handler's dead queue and not
    end the consumer.
    """

    def start(self) -> None:
        if not is_embedded(self.container):
            super().start()

    def stop(self) -> None:
        if not is_embedded(self.container):
            super().stop()

    def kill(self) -> None:
        if not is_embedded(self.container):
            super().kill()

    def unregister_provider(self, provider: Any) -> None:
        if not is_embedded(self.container):
            super().unregister_provider(provider)

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Any:  # noqa: ARG002 - nameko's signature
        # Who takes several at once must have more of them at hand than are under way.
        ahead = max([self.prefetch_count, *(2 * getattr(each, "together", 1) for each in self._providers)])
        for provider in self._providers:
            consumer = consumer_cls(queues=[provider.queue], on_message=partial(self.take, provider))
            consumer.qos(prefetch_count=ahead)
            self._consumers[provider] = consumer
        return self._consumers.values()

    def take(self, provider: Any, message: Any) -> None:
        """Give one message to its provider in a green thread of its own."""
        self.container.spawn_managed_thread(
            partial(provider.handle_message, None, message), identifier=f"message for {provider.queue.name}"
        )

    def ack_message(self, message: Any) -> None:
        try:
            super().ack_message(message)
        except (OSError, AMQPError) as error:
            # The connection went away: the broker gives the message to someone again.
            logger.warning("a message could not be acknowledged", extra={"cause": str(error)})

    def requeue_message(self, message: Any) -> None:
        try:
            super().requeue_message(message)
        except (OSError, AMQPError) as error:
            logger.warning("a message could not be put back", extra={"cause": str(error)})


class RpcConsumer(NamekoRpcConsumer):
    """The queue of questions to one service."""

    queue_consumer = QueueConsumer()

    def setup(self) -> None:
        if not is_embedded(self.container):
            super().setup()

    def stop(self) -> None:
        if not is_embedded(self.container):
            super().stop()

    def unregister_provider(self, provider: Any) -> None:
        if not is_embedded(self.container):
            super().unregister_provider(provider)

    def handle_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - nameko's signature
        try:
            request = json.loads(message.body)
            provider = self.get_provider_for_method(message.delivery_info["routing_key"])
            arguments = dict(request["kwargs"])
        except Exception as error:  # noqa: BLE001 - whatever a stranger sent is answered, not obeyed
            logger.warning("a question could not be read", extra={"cause": type(error).__name__})
            refusal = Unavailable(Sentence("The question could not be read."))
            self.reply(message, to_json({"error": error_to_plain(refusal)}))
            return
        provider.ask(arguments, message)

    def reply(self, message: Any, answer: str) -> None:
        """Send the answer, then acknowledge the question; an answer that cannot be sent is not acknowledged."""
        address = message.properties.get("reply_to")
        if not address:
            logger.warning("a question names no queue for its answer")
            self.queue_consumer.ack_message(message)
            return
        properties = {"correlation_id": message.properties.get("correlation_id")}
        parcel = Parcel("", address, answer, properties=properties)
        try:
            pool_of(settings_of(self.container).amqp_url).publish([parcel])
        except Unroutable:
            logger.info("the asker of a question is gone")
        except PUBLISH_ERRORS as error:
            # The question comes again; commands answer as before by their idempotency key.
            logger.warning("an answer could not be sent", extra={"cause": str(error)})
            self.queue_consumer.requeue_message(message)
            return
        self.queue_consumer.ack_message(message)


class ReplyListener(NamekoReplyListener):
    """The queue on which this container's answers come back."""

    queue_consumer = QueueConsumer()

    def setup(self) -> None:
        if not is_embedded(self.container):
            super().setup()

    def stop(self) -> None:
        if not is_embedded(self.container):
            super().stop()

    def handle_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - nameko's signature
        self.queue_consumer.ack_message(message)
        waiting = self._reply_events.pop(message.properties.get("correlation_id"), None)
        if waiting is None:
            return
        try:
            waiting.send(dict(json.loads(message.body)))
        except (ValueError, TypeError) as error:
            # The asker gives up in time.
            logger.warning("an answer could not be read", extra={"cause": type(error).__name__})

    def forget(self, correlation_id: str) -> None:
        """Nobody waits for this answer any more."""
        self._reply_events.pop(correlation_id, None)


def _answering(method: Callable[P, R]) -> Callable[P, dict[str, Any]]:
    """The method's result as `{"result": …}`, a deliberate refusal as `{"error": …}`, within the deadline."""

    @wraps(method)
    def answer(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        service = args[0].name  # type: ignore[attr-defined]
        with ordinary_failures(), metric.timed(service, method.__name__) as outcome:
            try:
                return {"result": method(*args, **kwargs)}
            except ImeceError as error:
                outcome(error.code)
                return {"error": error_to_plain(error)}

    return answer


class Rpc(Entrypoint):
    """A method that other services may ask; see `rpc`."""

    consumer = RpcConsumer()

    def setup(self) -> None:
        if is_embedded(self.container):
            SWITCHBOARD.connect(self.container.service_name, self.method_name, self._ask_here)
        else:
            self.consumer.register_provider(self)

    def stop(self) -> None:
        if is_embedded(self.container):
            SWITCHBOARD.disconnect(self.container.service_name, self.method_name)
        else:
            self.consumer.unregister_provider(self)

    def ask(self, arguments: dict[str, Any], message: Any) -> None:
        """Run the method for a question from the broker and send its answer."""
        headers = message.headers or {}

        def finish(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            self.consumer.reply(message, _answer_of(result, exc_info))
            return result, exc_info

        try:
            self._spawn(arguments, headers.get("correlation_id"), finish)
        except ContainerBeingKilled:
            self.consumer.queue_consumer.requeue_message(message)

    def _ask_here(self, arguments: dict[str, Any], correlation_id: str | None) -> str:
        done = Event()

        def finish(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(_answer_of(result, exc_info))
            return result, exc_info

        self._spawn(arguments, correlation_id, finish)
        answer: str = done.wait()
        return answer

    def _spawn(self, arguments: dict[str, Any], correlation_id: str | None, finish: Any) -> None:
        self.container.spawn_worker(
            self, (), arguments, context_data={"correlation_id": correlation_id}, handle_result=finish
        )


def _answer_of(result: Any, exc_info: Any) -> str:
    """What travels back, as JSON: a bug is told as such, without its text, which may hold anything."""
    if exc_info is None:
        try:
            return to_json(result)
        except (TypeError, ValueError):
            logger.exception("an answer is no JSON")
    return to_json({"error": {"kind": "Bug", "correlation_id": log.correlation_id()}})


def rpc(method: Callable[P, R]) -> Callable[P, R]:
    """Let other services ask this method by keyword arguments, JSON both ways.

    A kernel error raised inside is raised again at the asker. Delivery is at least once:
    commands take an idempotency key.
    """
    return Rpc.decorator(_answering(method))  # type: ignore[no-any-return]


class RemoteService(DependencyProvider):
    """The methods of another service, as if they were here.

    Every call is by keyword arguments and raises the kernel errors that the other side raised;
    Unavailable when it does not answer within `rpc_timeout`.
    """

    replies = ReplyListener()

    def __init__(self, target: str, **kwargs: Any) -> None:
        self.target = target
        super().__init__(**kwargs)

    def get_dependency(self, worker_ctx: Any) -> Any:  # noqa: ARG002 - nameko's signature
        return Remote(self.target, self)

    def ask(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The other side's answer, still wrapped."""
        settings = settings_of(self.container)
        try:
            with Timeout(settings.rpc_timeout, NotConfirmed("no answer in time")):
                if is_embedded(self.container):
                    return SWITCHBOARD.ask(self.target, method, arguments, log.correlation_id())
                return self._ask_by_broker(method, arguments, settings)
        except PUBLISH_ERRORS as error:
            logger.warning("a service does not answer", extra={"target": self.target, "cause": str(error)})
            raise Unavailable(
                Sentence("The service {service} does not answer. Try again in a moment.", service=self.target)
            ) from error

    def _ask_by_broker(self, method: str, arguments: dict[str, Any], settings: Settings) -> dict[str, Any]:
        identifier = uuid.uuid4().hex
        parcel = Parcel(
            RPC_EXCHANGE,
            f"{self.target}.{method}",
            to_json({"args": [], "kwargs": arguments}),
            headers={"correlation_id": log.correlation_id() or ""},
            properties={
                "correlation_id": identifier,
                "reply_to": self.replies.queue.name,
                # A question whose asker has given up must not be acted on later.
                "expiration": str(int(settings.rpc_timeout * 1000)),
            },
        )
        reply = self.replies.get_reply_event(identifier)
        try:
            pool_of(settings.amqp_url).publish([parcel], settings.rpc_timeout)
            answer: dict[str, Any] = reply.wait()
        finally:
            self.replies.forget(identifier)
        return answer


class Remote:
    """One service seen from another; see `RemoteService`."""

    def __init__(self, target: str, provider: RemoteService) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._provider = provider

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """A function that asks `method`."""

        def ask(**arguments: Any) -> Any:
            answer = self._provider.ask(method, arguments)
            if "error" not in answer:
                return answer["result"]
            error = answer["error"]
            if error["kind"] == "Bug":
                message = f"{self._target}.{method} failed"
                raise Bug(message)
            raise error_from_plain(error)

        return ask
