"""Spending: what language models have used, and what that costs."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

MILLION = 1_000_000


class Price(BaseModel):
    """What a model's tokens cost, in whatever money it is paid in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: float = Field(ge=0, description="Price of a million tokens that go in")
    output: float = Field(ge=0, description="Price of a million tokens that come out")


class Spending(NamedTuple):
    """What one model has used.

    Attributes:
        model: Its name.
        analyses: How many results it gave.
        input_tokens, output_tokens: Tokens that went in and came out.
    """

    model: str
    analyses: int
    input_tokens: int
    output_tokens: int

    def cost(self, price: Price | None) -> float | None:
        """What that costs; None where no price is known."""
        if price is None:
            return None
        spent = self.input_tokens * price.input + self.output_tokens * price.output
        return spent / MILLION
