"""Words that a database keeps: another version of mediahost may have written unknown ones."""

from enum import StrEnum
from typing import Self


class KeptEnum(StrEnum):
    """Words of a column. Names that a person gives are checked by the constructor as ever."""

    @classmethod
    def kept(cls, value: str) -> Self:
        """The word that a row has.

        An unknown one is shown as it is. It is none of the class's members, so nothing that acts
        on a member acts on it.
        """
        known = cls._value2member_map_.get(value)
        if isinstance(known, cls):
            return known
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether this version of mediahost knows the word."""
        return self.value in type(self)._value2member_map_
