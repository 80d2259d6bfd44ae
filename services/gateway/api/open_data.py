"""The open data: files of last night, for everyone, without a sign-in."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from werkzeug.http import http_date

from services.gateway.http import Answer, Call, Download, Table
from services.runtime.blob import Space, store_of

TABLE = Table()
CACHED_SECONDS = 3_600


@TABLE.route(
    "GET",
    "/open-data/organisations.csv",
    tag="Open data",
    summary="All organisations as CSV (RFC 4180, UTF-8)",
    description="Made every night, without persons and ways of contact.",
    content_type="text/csv",
    access="public",
    etag=True,
)
def open_data_csv(call: Call) -> Answer:
    """Streamed, packed where the caller takes gzip."""
    return _served(call, "organisations.csv")


@TABLE.route(
    "GET",
    "/open-data/organisations.json",
    tag="Open data",
    summary="All organisations as a JSON array",
    description="The same rows as in the CSV file.",
    content_type="application/json",
    access="public",
    etag=True,
)
def open_data_json(call: Call) -> Answer:
    """Streamed, packed where the caller takes gzip."""
    return _served(call, "organisations.json")


@TABLE.route(
    "GET",
    "/open-data/datapackage.json",
    tag="Open data",
    summary="What the files hold, column by column (Frictionless Data Package)",
    content_type="application/json",
    access="public",
    etag=True,
)
def open_data_package(call: Call) -> Answer:
    """With licence, number of rows, size and SHA-256 of both files."""
    return _served(call, "datapackage.json")


def _served(call: Call, name: str) -> Answer:
    found = call.ports.registry.open_data(name=name)
    store = store_of(call.ports.settings, Space.OPEN_DATA)
    return Answer(
        Download(
            partial(store.open, found["sha256"]),
            found["sha256"],
            found["size"],
            partial(store.open, found["gzip_sha256"]),
            found["gzip_size"],
        ),
        headers={
            "Last-Modified": http_date(datetime.fromisoformat(found["made_at"])),
            "Cache-Control": f"public, max-age={CACHED_SECONDS}",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        },
    )
