"""What language models have used, summed over the analyses in the store."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from mediahost.model.spending import Spending
from mediahost.store.children import analysis_results
from mediahost.store.engine import Database


def spending(
    database: Database, *, hours: int | None = None, now: datetime | None = None
) -> list[Spending]:
    """Tokens by model, by name.

    Args:
        database: The store's.
        hours: Only analyses of the last so many; None: all that there are.
        now: What time it is.
    """
    rows = analysis_results.c
    asked = (
        select(
            rows.model_used,
            func.count(),
            func.coalesce(func.sum(rows.input_tokens), 0),
            func.coalesce(func.sum(rows.output_tokens), 0),
        )
        .where(rows.model_used.is_not(None))
        .group_by(rows.model_used)
        .order_by(rows.model_used)
    )
    if hours is not None:
        asked = asked.where(rows.created_at >= (now or datetime.now(UTC)) - timedelta(hours=hours))
    with database.read() as connection:
        return [
            Spending(model, count, int(given), int(taken))
            for model, count, given, taken in connection.execute(asked)
        ]
