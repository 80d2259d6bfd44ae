"""What İmece measures of itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()

ENTRYPOINT_SECONDS = Histogram(
    "imece_entrypoint_seconds",
    "Time in an entrypoint: an HTTP route, an RPC method, an event, a periodic job.",
    ["service", "entrypoint", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
JOBS_FAILED = Counter(
    "imece_jobs_failed_total",
    "Runs of periodic jobs that ended with an error.",
    ["service", "entrypoint"],
    registry=REGISTRY,
)
PUBLISHED = Counter("imece_events_published_total", "Events confirmed by the broker.", ["service"], registry=REGISTRY)
RETRIED = Counter("imece_events_retried_total", "Events put back for a later try.", ["consumer"], registry=REGISTRY)
DEAD = Counter("imece_events_dead_total", "Events given up and kept as dead letters.", ["consumer"], registry=REGISTRY)


@contextmanager
def timed(service: str, entrypoint: str) -> Iterator[Callable[[str], None]]:
    """Measure the block; it may name its outcome by calling what is yielded, else `ok` or `error`."""
    outcome = "ok"

    def name_outcome(name: str) -> None:
        nonlocal outcome
        outcome = name

    began = perf_counter()
    try:
        yield name_outcome
    except BaseException:
        if outcome == "ok":
            outcome = "error"
        raise
    finally:
        ENTRYPOINT_SECONDS.labels(service, entrypoint, outcome).observe(perf_counter() - began)


Reading = tuple[str, str, dict[str, str], float]
"""(metric, help, labels, value)"""


class Gauges(Collector):
    """Gauges that are read from the databases at the moment of a scrape."""

    def __init__(self) -> None:
        """No readers yet."""
        self._readers: list[Callable[[], Iterable[Reading]]] = []

    def add(self, reader: Callable[[], Iterable[Reading]]) -> None:
        """Ask `reader` at every scrape."""
        self._readers.append(reader)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All readings, one family a metric."""
        families: dict[str, GaugeMetricFamily] = {}
        for reader in self._readers:
            for name, meaning, labels, value in reader():
                family = families.setdefault(name, GaugeMetricFamily(name, meaning, labels=list(labels)))
                family.add_metric(list(labels.values()), value)
        yield from families.values()


GAUGES = Gauges()
REGISTRY.register(GAUGES)
