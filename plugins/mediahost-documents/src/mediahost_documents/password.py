"""The password of protected documents: from the environment, never kept."""

import os
from abc import ABC

from pydantic import Field, SecretStr

from mediahost import Action

VARIABLE = "MEDIAHOST_DOCUMENTS_PASSWORD"


def _of_the_environment() -> SecretStr:
    return SecretStr(os.environ.get(VARIABLE, ""))


class Protected(Action, ABC, variables=[VARIABLE]):
    """An action on documents that may be protected by a password."""

    password: SecretStr = Field(
        default_factory=_of_the_environment,
        description="Opens protected documents; by default what is in the environment variable "
        f"{VARIABLE}. Never stored, and no part of the cache key",
    )
