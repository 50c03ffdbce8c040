"""The errors people meet: one family, five kinds.

Domain code raises a kind (or a subclass that carries facts); only ``web/errors.py`` knows HTTP
numbers and only ``appliance/cli.py`` knows exit codes. Every message is a finished sentence that may be
shown to the person who caused it, so it never holds a path, a secret or a stack.
"""


def N_(sentence: str) -> str:  # noqa: N802 - the name that gatherers of texts know
    """*sentence* as it is: marks the key of a translation that does not stand in an error itself."""
    return sentence


class Word(str):
    """A fact that is a word of the domain, such as a state: it is translated with the sentence around it."""


class MusicConnectError(Exception):
    """Base of every error that MusicConnect raises on purpose; ``str(error)`` is a sentence for a person.

    *sentence* is literal, with ``{named}`` places for *facts*: it is also the key of its translation.
    """

    def __init__(self, sentence: str, **facts: object) -> None:
        super().__init__(sentence.format(**facts) if facts else sentence)
        self.sentence = sentence
        self.facts = facts


class NotFound(MusicConnectError):
    """What was asked for does not exist, or must not be known to exist."""


class NotAllowed(MusicConnectError):
    """The thing exists, and this person may not do that with it."""


class Invalid(MusicConnectError):
    """The input cannot be taken as it is; *field* names the part to mend where there is one."""

    def __init__(self, sentence: str, *, field: str | None = None, **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.field = field


class Conflict(MusicConnectError):
    """The input is fine, but the present state of the thing does not admit it."""


class Unavailable(MusicConnectError):
    """Something MusicConnect depends on (a disk, a store, a queue, a program) does not answer; try again later."""
