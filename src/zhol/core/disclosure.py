"""Aggregates only: refuse what could name a person, protect small cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zhol.core.errors import ZholError
from zhol.core.small_cells import DENOMINATOR, THRESHOLD, intervals, protect, rate

__all__ = ["DENOMINATOR", "THRESHOLD", "intervals", "personal_columns", "protect", "rate", "refuse_personal"]

# Column names that hold, or that usually hold, something about one person. Matched on the whole name after
# lower-casing and turning every separator into an underscore.
_PERSONAL = re.compile(
    r"^(?:(?:first|last|middle|given|family|full|father_?s?|mother_?s?|maiden|person|migrant|client|worker|employee|passenger)_?names?"
    r"|surname|patronymic|forename|fio|фио|имя|фамилия|отчество|аты|тегі|аты_жөні"
    r"|(?:passport|document|id_card|identity|identity_card|national_id|visa|permit|patent|licence|license|ticket|case|file|dossier|alien|unhcr|registration)_?(?:no|nr|num|number|id)"
    r"|passport|national_id|iin|inn|snils|pinfl|ssn|tin|ииН|инн|снилс|номер_паспорта|паспорт"
    r"|(?:date_of_birth|birth_?date|dob|birth_?day|born_on|дата_рождения|туған_күні)"
    r"|(?:phone|telephone|mobile|cell|msisdn|imsi|imei|whatsapp|telegram|viber)(?:_?(?:no|nr|number|id))?|телефон"
    r"|e_?mail(?:_address)?|(?:home|street|postal|exact|residential|current)_?address|address|адрес|мекенжай"
    r"|(?:face|photo|picture|portrait|fingerprint|iris|biometric)s?(?:_?(?:id|hash|template|image|file))?"
    r"|(?:device|account|user|person|individual|respondent|migrant|employer|card|bank_account)_?(?:id|key|uuid|hash)"
    r"|iban|bank_account|card_number|ip_?address|mac_?address|username|login"
    r"|(?:gps|geo)_?(?:lat|lon|latitude|longitude|point|location|coordinates)|coordinates|geolocation)$",
    re.IGNORECASE,
)


def personal_columns(columns: Iterable[str], also: Iterable[str] = ()) -> list[str]:
    """Names among ``columns`` that point at a person, a document, a device or an exact place.

    ``also`` are names that do so in this table only: ``name`` is harmless in a table of places.

    Examples
    --------
    >>> personal_columns(["origin", "Passport No", "date-of-birth", "persons"])
    ['Passport No', 'date-of-birth']
    """
    plain = {c: re.sub(r"[^\w]+", "_", c.strip()).strip("_").lower() for c in columns}
    return [c for c, name in plain.items() if _PERSONAL.match(name) or name in set(also)]


def refuse_personal(columns: Iterable[str], *, file: str | None = None, also: Iterable[str] = ()) -> None:
    """Raise if a table has a column about individual persons.

    Raises
    ------
    ZholError
        Naming the first such column.
    """
    found = personal_columns(columns, also)
    if found:
        raise ZholError(
            "column holds data about individual persons",
            file=file,
            column=found[0],
            expected="aggregates only",
            hint="remove it; `zhol estimate tabulate` turns records into protected counts inside their owner's house",
        )
