"""Hosts that use a store now: an upgrade would change the schema under them."""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from mediahost.errors import StoreError
from mediahost.store.dialect import unix_now
from mediahost.store.tables import hosts

# A host says that it lives every 5 s; one that was not heard for so long is gone.
SILENT_S = 30.0

_HEARD = (
    select(hosts.c.host, hosts.c.machine, hosts.c.pid, hosts.c.version)
    .where(hosts.c.seen_at > unix_now() - SILENT_S)
    .order_by(hosts.c.host)
)

IsGone = Callable[[str], bool]


class HostsLive(StoreError):
    """Hosts use the store, so its schema stays as it is."""


def refuse_while_hosts_live(connection: Connection, place: object, is_gone: IsGone) -> None:
    """See that no host uses the store.

    Args:
        connection: In the transaction that is to upgrade.
        place: Where the store is.
        is_gone: Whether the host of that name surely doesn't run any more.

    Raises:
        HostsLive: One does.
    """
    if not inspect(connection).has_table(hosts.name):
        return  # older than heartbeats, or none of ours yet
    live = [row for row in connection.execute(_HEARD) if not is_gone(row.host)]
    if live:
        names = ", ".join(f"process {row.pid} on {row.machine}" for row in live[:3])
        more = f" and {len(live) - 3} more" if len(live) > 3 else ""  # noqa: PLR2004 - of names
        raise HostsLive(
            f"The store {place} is not upgraded: an older mediahost uses it ({names}{more})",
            "End it first. To wait for its end, run: mediahost store upgrade --wait",
        )


def nobody_is_gone(_host: str) -> bool:
    """What is known where processes can't be looked at: heartbeats decide."""
    return False
