"""Runs a command with a PostgreSQL and a RabbitMQ at hand.

Each is looked for in this order: the environment (IMECE_TEST_POSTGRES_URL, IMECE_TEST_AMQP_URL); on this
machine, running; on this machine, installed and stopped; as a Debian package, where it may be installed.
What cannot be had is said loudly, and the tests that need it are skipped, except in CI, where that fails.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

POSTGRES = "IMECE_TEST_POSTGRES_URL"
AMQP = "IMECE_TEST_AMQP_URL"
WAIT_SECONDS = 60


def say(text: str) -> None:
    print(f"[services] {text}", file=sys.stderr, flush=True)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(ready: object, seconds: int = WAIT_SECONDS) -> bool:
    for _ in range(seconds * 2):
        if ready():  # type: ignore[operator]
            return True
        time.sleep(0.5)
    return False


def quiet(*command: str, **options: object) -> bool:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **options)  # type: ignore[call-overload]
    return bool(done.returncode == 0)


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> bool:
    if not may_install():
        return False
    say(f"installing {' '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return quiet("apt-get", "update", env=environment) and quiet(
        "apt-get", "install", "--yes", "--no-install-recommends", *packages, env=environment
    )


def postgres_works(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def as_postgres(*command: str) -> bool:
    """Run as the database's own user, if we may."""
    if os.geteuid() != 0:
        return False
    return quiet("su", "postgres", "-c", " ".join(command))


def postgres_candidates() -> list[str]:
    user = os.environ.get("USER") or "postgres"
    return [
        "postgresql://postgres@127.0.0.1:5432/postgres",
        "postgresql://imece_test:imece_test@127.0.0.1:5432/postgres",
        "postgresql:///postgres?host=/var/run/postgresql",
        f"postgresql://{user}@127.0.0.1:5432/postgres",
    ]


def find_postgres() -> str | None:
    if os.environ.get(POSTGRES):
        return os.environ[POSTGRES]
    for attempt in ("running", "installed", "package"):
        if attempt == "installed" and not start_postgres():
            continue
        if attempt == "package" and not (install("postgresql", "postgresql-contrib") and start_postgres()):
            continue
        for url in postgres_candidates():
            if postgres_works(url):
                return url
        # A fresh server lets only its own user in: give the tests a role of their own.
        as_postgres("createuser", "--createdb", "imece_test")  # fails where the role is there already
        as_postgres("psql", "-qc", "\"ALTER ROLE imece_test CREATEDB PASSWORD 'imece_test'\"")
        url = postgres_candidates()[1]
        if postgres_works(url):
            return url
    return None


def start_postgres() -> bool:
    clusters = sorted(Path("/etc/postgresql").glob("*/main")) if Path("/etc/postgresql").exists() else []
    if not clusters or shutil.which("pg_ctlcluster") is None:
        return False
    version = clusters[-1].parent.name
    if not answers(5432):
        quiet("pg_ctlcluster", "--skip-systemctl-redirect", version, "main", "start")
    return wait_for(lambda: answers(5432))


def amqp_works(url: str) -> bool:
    from kombu import Connection

    try:
        with Connection(url, connect_timeout=5) as connection:
            connection.connect()
    except Exception as error:  # noqa: BLE001 - whatever the reason, this broker is no use to the tests
        say(f"RabbitMQ at {url.rpartition('@')[2]}: {error}")
        return False
    return True


def find_rabbitmq() -> str | None:
    if os.environ.get(AMQP):
        return os.environ[AMQP]
    url = "amqp://guest:guest@127.0.0.1:5672//"
    if answers(5672) and amqp_works(url):
        return url
    if start_rabbitmq() and amqp_works(url):
        return url
    if install("rabbitmq-server") and start_rabbitmq() and amqp_works(url):
        return url
    return None


def start_rabbitmq() -> bool:
    server = shutil.which("rabbitmq-server") or shutil.which("rabbitmq-server", path="/usr/sbin:/usr/lib/rabbitmq/bin")
    if server is None:
        return False
    if not answers(5672):
        # A quorum queue holds files open, and a whole İmece has about a hundred of them.
        quiet("sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$0" -detached', server)
    return wait_for(lambda: answers(5672))


def main() -> int:
    found = {POSTGRES: find_postgres(), AMQP: find_rabbitmq()}
    environment = dict(os.environ)
    environment |= {name: url for name, url in found.items() if url is not None}
    missing = [name for name, url in found.items() if url is None]
    if missing:
        say("=" * 70)
        say(f"NOT FOUND and not to be installed here: {', '.join(missing)}.")
        say("Name a server in these variables. The tests that need it WILL NOT RUN.")
        say("=" * 70)
        if os.environ.get("CI"):
            return 1
    done = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    if missing:
        say(f"Remember: tests that need {', '.join(missing)} were SKIPPED.")
    return done


if __name__ == "__main__":
    sys.exit(main())
