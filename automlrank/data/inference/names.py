"""Words of a column's name, and what they say of its values."""

from __future__ import annotations

import re
from functools import cache

UPPER, LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
WORD = re.compile(rf"[{UPPER}]+(?![{LOWER}])|[{UPPER}]?[{LOWER}]+|\d+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ID_WORDS = _set(
    "id ids uid uids guid guids uuid uuids oid code codes recode key keys hash hashes hashed md5 "
    "sha1 sha256 no nr sku skus asin isbn ean upc gtin imei idfa gaid ssn fingerprint barcode"
)
COUNT_WORDS = _set("count counts num number total share rate")
# What stands before "id" where a name has no seam, as in "userid": "paid", "valid" and "grid" end
# in the same letters.
OWNERS = _set(
    "ad account advertiser agent album app article artist asset author banner book brand business "
    "campaign cat category channel city client company content cookie course creative creator "
    "customer device doc document domain employee event film game genre group guest hotel image "
    "imp impression item job listing location media member merchant message movie msg music news "
    "object offer order page partner person photo place player playlist post prod product profile "
    "property publisher query question recipe req request restaurant review room seller session "
    "shop site slot song source store story student supplier tag target topic track trans "
    "transaction user vendor video visit visitor zone"
)
GLUED_ID = re.compile(
    rf"([cefginopqstuvx]|{'|'.join(sorted(OWNERS))})ids?|(bar|country|item|post|postal|product|zip)code"
)

TIME_WORDS = _set(
    "time times timestamp timestamps ts date dates datetime dt day hour minute second seconds sec "
    "when at t ms us ns millis epoch unix unixtime created updated clicked logged moment"
)
GLUED_TIME = re.compile(r".+(time|date|stamp)")
# Moments in the life of a user or an item, not of a row.
LIFE_WORDS = _set(
    "birth birthday birthdate dob born release released signup signed registration registered "
    "register joined join published publish upload uploaded expiry expires founded hired"
)
# Ids of what a row happened in: its rows share their time, as the rows of a user or an item do not.
OCCASION_WORDS = _set(
    "session request req impression imp visit search query event order transaction trans auction "
    "log trace page pageview view basket cart slate list trip booking"
)
HISTORY_WORDS = _set(
    "history histories hist past previous prev recent last seq sequence viewed clicked clicks "
    "watched seen bought purchased purchases visited played liked likes behavior behaviors "
    "behaviour behaviours interacted consumed"
)
TAG_WORDS = _set(
    "tag tags genre genres category categories cats keyword keywords topic topics label labels "
    "attribute attributes interest interests skill skills ingredient ingredients segment segments "
    "color colors colour colours size sizes type types"
)


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name in any style, in lower case: ``userId``, ``user_id``, ``user.ID``."""
    return tuple(word.lower() for word in WORD.findall(name.replace("IDs", "Ids")))


def is_id(name: str) -> bool:
    """Return True for a name like an id's: by its last word, or by its first where that is id."""
    found = list(words(name))
    while len(found) > 1 and found[-1].isdigit():
        found.pop()
    if not found:
        return False
    last = found[-1]
    if found[0] == "id" and last not in COUNT_WORDS:
        return True
    return last in ID_WORDS or bool(GLUED_ID.fullmatch(last))


def is_time(name: str) -> bool:
    """Return True for a name that speaks of a time, and of no id."""
    return not is_id(name) and any(
        word in TIME_WORDS or GLUED_TIME.fullmatch(word) for word in words(name)
    )


def is_of_a_life(name: str) -> bool:
    """Return True for the name of a moment in the life of a user or an item."""
    return bool(LIFE_WORDS & set(words(name))) or any(
        word.startswith(("birth", "release", "signup")) for word in words(name)
    )


def is_occasion(name: str) -> bool:
    """Return True for the name of an id of what the row happened in, such as a session."""
    found = words(name)
    return any(
        word in OCCASION_WORDS or word.removesuffix("id") in OCCASION_WORDS for word in found
    )


def is_history(name: str) -> bool:
    return bool(HISTORY_WORDS & set(words(name)))


def is_tags(name: str) -> bool:
    """Return True for a name of what describes one thing, such as tags."""
    return bool(TAG_WORDS & set(words(name))) and not is_history(name)


def share_a_stem(name: str, other: str) -> bool:
    """Return True for names with a word in common, but for words that say nothing of the thing."""
    return bool(_stems(name) & _stems(other))


def _stems(name: str) -> set[str]:
    """The words that name a thing, in the singular."""
    plain = (re.sub(r"(id|ids)$", "", word) or word for word in words(name))
    found = {word.removesuffix("s") for word in plain if not word.isdigit()}
    return found - {word.removesuffix("s") for word in ID_WORDS | HISTORY_WORDS} - {"of", "list"}
