"""Texts as the search compares them: without accents, case and punctuation; the same for what is stored and what is asked."""

import re
import unicodedata

LONGEST_WORD = 40
MOST_WORDS = 80
_ASCII = re.compile("[a-z0-9]+")
# Letters that Unicode does not take apart, as people type them who do not have them.
_PLAIN = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ð": "d",
        "đ": "d",
        "þ": "th",
        "ł": "l",
        "ħ": "h",
        "ı": "i",
        "ŋ": "n",
        "ŧ": "t",
    }
)
# "don't" and "dont", "O’Neill" and "oneill" are one word each.
_DROPPED = frozenset("'’ʼ`´")
# Written without spaces: each character is a word of its own.
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "IDEOGRAPHIC ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")


def words(text: str) -> list[str]:
    """The words of *text* in their order, each at most ``LONGEST_WORD`` long; letters, digits and pictures count, all else parts them."""
    if text.isascii():
        # The same in a twentieth of the time; most titles are so.
        plain = text.lower().replace("'", "").replace("`", "")
        return [word[:LONGEST_WORD] for word in _ASCII.findall(plain)[:MOST_WORDS]]
    spelled: list[str] = []
    for sign in unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_PLAIN):
        kind = unicodedata.category(sign)
        if sign in _DROPPED or kind[0] == "M":
            continue
        if kind[0] not in "LN" and kind != "So":
            spelled.append(" ")
        elif sign > "\u0dff" and (kind == "So" or unicodedata.name(sign, "").startswith(_UNSPACED)):
            spelled.append(f" {sign} ")
        else:
            spelled.append(sign)
    return [word[:LONGEST_WORD] for word in "".join(spelled).split()][:MOST_WORDS]


def folded(text: str) -> str:
    """*text* as a line of its words, to compare and to sort by."""
    return " ".join(words(text))
