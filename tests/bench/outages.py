"""Ten users file petitions while RabbitMQ, the mail server, notifications and PostgreSQL are away for a minute each.

    make bench-outages [OUTAGE_SECONDS=60]

Prints the table of docs/delivery.md; ends with 1 when anything was lost or told twice, or when more mails came again
under their Message-ID than processes were killed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import eventlet

eventlet.monkey_patch()

from harness import distributed_system, free_port
from mail_server import mail_server
from outage import HEAD, broker_away, databases_away, mail_server_away, outage, service_away, ten_users


def main() -> int:
    seconds = float(os.environ.get("OUTAGE_SECONDS", "60"))
    server, amqp = os.environ["IMECE_TEST_POSTGRES_URL"], os.environ["IMECE_TEST_AMQP_URL"]
    with tempfile.TemporaryDirectory() as place, mail_server(Path(place) / "mail", free_port()) as mail:
        settings = {
            "IMECE_SMTP_URL": f"smtp+plain://127.0.0.1:{mail.port}",
            "IMECE_MAIL_FROM": "imece@belediye.example.org",
            "IMECE_DELIVERY_DELAYS": "1,2,5,10,10,10,10,30,60",
            "IMECE_RPC_TIMEOUT": "4",
        }
        with distributed_system(server, amqp, Path(place), **settings) as system:
            tokens = ten_users(system)
            cuts = {
                "RabbitMQ": broker_away,
                "mail server": mail_server_away(mail),
                "notifications (killed)": service_away(system, "notifications"),
                "PostgreSQL": databases_away(system, server),
            }
            print(HEAD)
            outcomes = []
            for name, cut in cuts.items():
                outcomes.append(outage(system, mail, tokens, name, cut, seconds))
                print(outcomes[-1].row(), flush=True)
    return int(any(each.lost or each.doubled or len(each.again) > 1 for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
