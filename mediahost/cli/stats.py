"""`mediahost stats`: how the jobs fared, how long actions take, what language models cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import print_json, print_table, seconds
from mediahost.cli.state import state
from mediahost.installation import docs_hint
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.model.spending import Spending
    from mediahost.settings import Settings
    from mediahost.store.figures import Figures

MS_PER_S = 1000
HOURS = 24
# A hundred years and more.
MOST_HOURS = 1_000_000


def stats(
    *,
    hours: Annotated[
        int,
        typer.Option(
            "--hours", help="Of the last so many hours.", min=1, max=MOST_HOURS, metavar="N"
        ),
    ] = HOURS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how the jobs of the last day fared, and what language models cost."""
    settings = state.settings()
    with state.store(browse=True) as store:
        browser = store.browse()
        figures = browser.figures(hours)
        recent, ever = browser.spending(hours), browser.spending()
    if as_json:
        print_json(_to_json(figures, recent, ever, settings))
        return
    _print_actions(figures, hours)
    for reason, count in figures.reasons:
        typer.echo(f"  {count:,} x {display(reason)}")
    _print_spending(recent, ever, settings, hours)


def _print_actions(figures: "Figures", hours: int) -> None:
    if not figures.actions:
        typer.echo(f"No job in the last {hours} hours; {figures.pending:,} wait")
        return
    columns = ("ACTION", "COMPLETED", "FAILED", "CACHED", "MEDIAN", "P95")
    print_table(
        columns,
        [
            (
                one.action,
                f"{one.completed:,}",
                f"{one.failed:,}",
                f"{one.cached:,}",
                "" if one.median_ms is None else seconds(one.median_ms),
                "" if one.p95_ms is None else seconds(one.p95_ms),
            )
            for one in figures.actions
        ],
    )
    eta = figures.eta_s
    waiting = "" if not eta else f", done in about {seconds(round(eta * MS_PER_S))}"
    typer.echo(f"In the last {hours} hours; {figures.pending:,} jobs wait{waiting}")


def _print_spending(
    recent: "list[Spending]", ever: "list[Spending]", settings: "Settings", hours: int
) -> None:
    if not ever:
        return
    lately = {one.model: one for one in recent}
    columns = ("MODEL", "ANALYSES", "TOKENS IN", "TOKENS OUT", "COST", f"COST OF {hours} H")
    rows = []
    for one in ever:
        price = settings.prices.get(one.model)
        new = lately.get(one.model)
        cost_of_new = (0.0 if price else None) if new is None else new.cost(price)
        rows.append(
            (
                one.model,
                f"{one.analyses:,}",
                f"{one.input_tokens:,}",
                f"{one.output_tokens:,}",
                _money(one.cost(price)),
                _money(cost_of_new),
            )
        )
    typer.echo("")
    print_table(columns, rows)
    total = _total(ever, settings)
    if total is None:
        typer.echo(
            f"To know the cost, give prices in the settings: [prices]. {docs_hint('settings')}"
        )
    else:
        typer.echo(f"In all {_money(total)}")


def _money(cost: float | None) -> str:
    return "" if cost is None else f"{cost:,.4f}"


def _total(spent: "list[Spending]", settings: "Settings") -> float | None:
    """The cost of all models whose price is known; None if that is none of them."""
    costs = [one.cost(settings.prices.get(one.model)) for one in spent]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _to_json(
    figures: "Figures", recent: "list[Spending]", ever: "list[Spending]", settings: "Settings"
) -> dict[str, Any]:
    return {
        "actions": [one._asdict() for one in figures.actions],
        "hours": [list(hour) for hour in figures.hours],
        "failures": [{"reason": reason, "jobs": count} for reason, count in figures.reasons],
        "pending": figures.pending,
        "models": _models(ever, settings),
        "models_lately": _models(recent, settings),
        "cost": _total(ever, settings),
        "cost_lately": _total(recent, settings),
    }


def _models(spent: "list[Spending]", settings: "Settings") -> list[dict[str, Any]]:
    return [{**one._asdict(), "cost": one.cost(settings.prices.get(one.model))} for one in spent]
