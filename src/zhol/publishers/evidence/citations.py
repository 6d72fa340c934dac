"""Turn the sources that a compiled row names into rows of ``sources``, one for each distinct source."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.reading import joined, plain, split_outside_brackets

COLUMNS = ["source_id", "title", "publisher", "url", "published", "retrieved", "licence", "attribution", "kind", "note"]
LICENCE = "facts with citation"
# Described with the statistics, since places cite it too.
SEED = "SEED2009"
MEMORY = "EV-from-memory"

_DOMAIN = re.compile(r"^(?:https?://)?(?:www\.)?((?:[a-z0-9-]+\.)+[a-z]{2,})(/\S*)?(?=$|[\s,(])")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass
class Citations:
    """Collects sources as tables are read; ``frame`` gives them in the order of their ids."""

    found: dict[str, dict[str, str]] = field(default_factory=dict)

    def cite(self, text: str, url: str = "", *, kind: str = "cited_figure") -> str:
        """Ids of the sources that a text and an address name, joined by semicolons.

        Examples
        --------
        >>> Citations().cite("FMS via Ferghana", "https://enews.fergananews.com/news.php?id=2744")
        'EV-fergananews-9a3983'
        """
        return joined(self._add(item, address, kind) for item, address in _pairs(text, url))

    def _add(self, item: str, address: str, kind: str) -> str:
        if "Baynazarova" in item or item == "seed":
            return SEED
        row = _source(plain(item), address, kind)
        self.found.setdefault(row["source_id"], row)
        return row["source_id"]

    def frame(self) -> pl.DataFrame:
        """All sources cited so far."""
        rows = [{**self.found[i], "source_id": i} for i in sorted(self.found)]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()))
        return frame.with_columns(pl.when(pl.all() == "").then(None).otherwise(pl.all()).name.keep())


def _pairs(text: str, url: str) -> list[tuple[str, str]]:
    """Each source named with its address: by the host's name if it is named, else in order."""
    known, ignored = (
        rules.lookup("citations", "cited", "publisher"),
        rules.lookup("citations_ignored", "written", "why"),
    )
    items = [text] if text in known else [i for i in split_outside_brackets(text) if i not in ignored]
    addresses = [a.strip() for a in url.split(" ; ") if a.strip()] if url not in _aliases() else [url]
    if any(len(_documents(item)) > 1 for item in items):
        addresses = []
    if len(items) == len(addresses):
        return list(zip(items, addresses, strict=True))
    pairs: dict[str, list[str]] = {item: [] for item in items}
    for address in list(addresses):
        named = [i for i in items if not pairs[i] and _names_host(i, address)]
        if named:
            pairs[named[0]].append(address)
            addresses.remove(address)
    for address in addresses:
        free = [i for i in items if not pairs[i]]
        pairs[free[0] if free else items[-1]].append(address)
    return [(single, a) for item in items for a in (pairs[item] or [""]) for single in _documents(item)]


def _documents(item: str) -> list[str]:
    """``host rgn=1, rgn=2`` names two documents."""
    numbers = re.findall(r"rgn=\d+", item)
    return [f"{item.split(' ')[0]} {number}" for number in numbers] if len(numbers) > 1 else [item]


def _names_host(item: str, address: str) -> bool:
    host = re.sub(r"[^a-z0-9]", "", urlsplit(address).netloc.lower())
    domain = _DOMAIN.match(item.lower())
    words = re.findall(r"[a-z0-9]{3,}", item.lower().replace(".", " "))
    return (domain is not None and domain[1].replace(".", "") in host) or any(word in host for word in words)


def _aliases() -> dict[str, str]:
    return rules.lookup("addresses", "written", "address")


def _source(item: str, written: str, kind: str) -> dict[str, str]:
    """One row of ``sources``."""
    address, title = _aliases().get(written, written), rules.lookup("addresses", "written", "title").get(written, "")
    if address and not address.startswith("http"):
        item, address = f"{item} via {address}", ""
    address = address or _address_in(item)
    publisher, via = _publisher(item, address)
    if publisher.startswith("From memory"):
        return _memory()
    title = title or (f"{publisher}, as cited by {via}" if via else _title(item, publisher))
    # A bare host holds many documents: there the words of the citation tell them apart.
    detail = title if len(urlsplit(address).path) < 2 and not urlsplit(address).query else ""
    slug = _slug(_host(address) or publisher)
    mark = hashlib.sha1(f"{publisher}|{address}|{detail}".encode()).hexdigest()[:6]
    published = _published(f"{re.sub(r'protocol of [^)]*', '', item)} {written}") or _published(title)
    return {
        "source_id": f"EV-{slug}-{mark}",
        "title": title,
        "publisher": publisher,
        "url": address,
        "published": published,
        "licence": LICENCE,
        "attribution": title if not published or published[:4] in title else f"{title}, {published}",
        "kind": _by_host(address, "kind") or kind,
    }


def _memory() -> dict[str, str]:
    return {
        "source_id": MEMORY, "title": "From memory, no page read", "publisher": "Compiler of the evidence tables",
        "licence": LICENCE, "attribution": "not to be quoted", "kind": "cited_figure",
        "note": "rows that rest on this alone are recalled and off by default",
    }  # fmt: skip


def _title(item: str, publisher: str) -> str:
    """A citation as it stands; one that begins with a known house's domain gets the house's name instead."""
    match = _DOMAIN.match(item)
    if not match or publisher == match[1]:
        return item
    rest = re.sub(r"rgn=(\d+)", r"document \1", item[match.end(1) :].strip(" /"))
    return f"{publisher}: {rest}" if rest else f"{publisher} (website)"


def _publisher(item: str, address: str) -> tuple[str, str]:
    """Who says it and, if another house printed it, which."""
    host = _by_host(address, "publisher") or _host(address).removeprefix("www.")
    for row in rules.rows("citations"):
        if row["cited"] == item:
            publisher, via = row["publisher"], row["via"] or host
            return publisher, "" if via == publisher or via in publisher else via
    if " via " in item:
        publisher, _, via = item.partition(" via ")
        return publisher, via
    return host or _without_date(item), ""


def _by_host(address: str, column: str) -> str:
    host = _host(address)
    for row in rules.rows("host_publishers"):
        if host == row["host"] or host.endswith("." + row["host"]):
            return row[column] or ""
    return ""


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()


def _address_in(item: str) -> str:
    """The address that a citation such as ``cis-legislation.com rgn=4726`` holds."""
    if match := re.match(r"cis-legislation\.com rgn=(\d+)$", item):
        return f"https://cis-legislation.com/document.fwx?rgn={match[1]}"
    match = _DOMAIN.match(item)
    return f"https://{match[1]}{match[2] or ''}" if match else ""


def _slug(text: str) -> str:
    """A short word for an id: the telling label of a host, or the first words of a name."""
    labels = text.lower().split(".")
    if len(labels) > 1 and " " not in text:
        labels = [
            w for w in labels[:-1] if w not in ("www", "en", "m", "ru", "old", "enews", "news", "co", "com")
        ] or labels[-2:]
        text = labels[-1]
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())[:4])[:24] or "source"


def _without_date(item: str) -> str:
    return (
        re.sub(r"\s*\(.*\)$|\s+\d{1,2} [A-Z][a-z]+( and .*)? \d{4}.*$|\s+[A-Z][a-z]{2} \d{4}$", "", item).strip()
        or item
    )


def _published(text: str) -> str:
    """The date of publication that a citation or an address shows, as exactly as it does."""
    if match := re.search(r"\b(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})\b", text):
        month = _month(match[2])
        return f"{match[3]}-{month:02d}-{int(match[1]):02d}" if month else ""
    if match := re.search(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?:/|$)", text):
        return f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}"
    if match := re.search(r"(?<!\d)(20\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)", text):
        return "-".join(match.groups())
    if match := re.search(r"\b([A-Z][a-z]{2})[a-z]* ((?:19|20)\d{2})\b", text):
        month = _month(match[1])
        return f"{match[2]}-{month:02d}" if month else ""
    if match := re.search(r"/(20\d{2})/(0[1-9]|1[0-2])(?:/|$)", text):
        return f"{match[1]}-{match[2]}"
    return ""


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0


def first_ids(source_ids: Iterable[str]) -> str:
    """Sources of several rows joined, each once."""
    return joined(i for ids in source_ids for i in ids.split(";"))
