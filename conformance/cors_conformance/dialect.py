"""Dialects: the choices the standard leaves to a library, as that library documents them.

A choice that is `None` is not documented, and then both answers are right: what hangs on it is
neither granted nor denied.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

WildcardWithCredentials: TypeAlias = Literal["refused", "never credentialed", "any origin"]
"""What `allow_origins=["*"]` with `allow_credentials=True` does.

- `refused`: an error at construction.
- `never credentialed`: it serves, and no credentialed request is granted.
- `any origin`: documented as granting credentialed access to every origin; a grant to all that
  the standard made impossible with a literal `*` on purpose.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an implementation reads a policy where the standard leaves it free.

    Attributes:
        wildcard_covers_authorization: whether `allow_headers=["*"]` grants `Authorization`.
        wildcard_covers_null: whether `allow_origins=["*"]` grants the origin `null`.
        wildcard_lists_with_credentials: whether `*` in `allow_methods`, `allow_headers` and
            `expose_headers` keeps meaning "all" for credentialed requests (a library that sends
            a literal `*` says no).
        wildcard_with_credentials: what `allow_origins=["*"]` with credentials does; `None` is
            held to be "refused" or "never credentialed", the two safe readings.
        always_allowed_headers: request-header names (lower case) granted whatever the policy says;
            `None` leaves `Accept`, `Accept-Language` and `Content-Language` open, whose values
            rarely need permission, and grants no name.
        wildcard_methods: the methods that `allow_methods=["*"]` stands for, where it is a
            documented list; `None` means every method.

    """

    wildcard_covers_authorization: bool | None = None
    wildcard_covers_null: bool | None = None
    wildcard_lists_with_credentials: bool | None = None
    wildcard_with_credentials: WildcardWithCredentials | None = None
    always_allowed_headers: frozenset[str] | None = None
    wildcard_methods: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Check the words.

        Raises:
            TypeError: one is not of its type; a string where a set belongs would be its letters.
            ValueError: `wildcard_with_credentials` is none of the readings.

        """
        readings = get_args(WildcardWithCredentials)
        if self.wildcard_with_credentials not in {None, *readings}:
            message = (
                f"`wildcard_with_credentials` is {self.wildcard_with_credentials!r}; there are"
                f" {', '.join(map(repr, readings))} and None"
            )
            raise ValueError(message)
        for name in ("always_allowed_headers", "wildcard_methods"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, frozenset):
                message = f"`{name}` is {value!r}; expected a frozenset or None"
                raise TypeError(message)
