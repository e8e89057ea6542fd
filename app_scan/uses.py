"""A use of a name, before it is known in which file."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Use:
    """A name that is used.

    Attributes:
        line: where, from 1.
        kind: what it is the name of.
        name: the name.
        use: how it is used.
        is_sure: whether the place says so beyond doubt.
        is_exact: whether the text is the name and nothing else.
        offset: where in the SQL that was read.
        is_followed_by_parenthesis: as a call is, or rows that are embedded.
        arguments: how many are given; -1 where that cannot be seen.
    """

    line: int
    kind: str
    name: str
    use: str
    is_sure: bool = True
    is_exact: bool = False
    offset: int = 0
    is_followed_by_parenthesis: bool = False
    arguments: int = -1

    def at(self, line: int, is_sure: bool) -> "Use":
        """The same in the text around it: a name in prose is a mention."""
        use = self.use if is_sure else "mention"
        return replace(self, line=line, use=use, is_sure=self.is_sure and is_sure)
