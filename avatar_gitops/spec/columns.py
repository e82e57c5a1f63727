"""Base of every spec model, the scalars that they share, and what a spec says about one column."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

API_VERSION: Final = "avatar-gitops/v1"
SET_NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$"
TABLE_NAME_PATTERN: Final = r"^[^\x00-\x1f\x7f#%]{1,200}$"
GATE_PATTERN: Final = r"^(>=|<=|>|<) ?-?[0-9]{1,9}(\.[0-9]{1,9})?$"


def _integral(value: Any) -> Any:
    """JSON Schema calls 5.0 an integer; so do the models."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


MAX_INTEGER: Final = 2**31 - 1
WHOLE: Final = BeforeValidator(_integral)
Natural = Annotated[int, Field(ge=1, le=MAX_INTEGER), WHOLE]
Positive = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
ColumnName = Annotated[str, Field(min_length=1, max_length=500)]
SetName = Annotated[str, Field(pattern=SET_NAME_PATTERN)]
TableName = Annotated[str, Field(pattern=TABLE_NAME_PATTERN)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Digest = Annotated[str, Field(pattern=r"^(sha256|hmac-sha256):[0-9a-f]{64}$")]


class Model(BaseModel):
    """Base of every spec model: frozen, strict, unknown keys refused; validators are built when they are first used."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)


class ColumnType(StrEnum):
    """Declared type of a column; a column that is not declared has the type inferred from the data."""

    INT = "int"
    BOOL = "bool"
    CATEGORY = "category"
    FLOAT = "float"
    DATETIME = "datetime"
    DATETIME_TZ = "datetime_tz"


class ColumnTag(StrEnum):
    """What a column says about people; read by the plan, by policies and by the impact assessment."""

    IDENTIFIER = "identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    SENSITIVE = "sensitive"
    FREE_TEXT = "free_text"


class PiiType(StrEnum):
    """Kind of substitute that FAKER makes."""

    EMAIL = "EMAIL"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    FULL_NAME = "FULL_NAME"
    PHONE = "PHONE"
    SSN = "SSN"
    ADDRESS = "ADDRESS"
    FREE_TEXT = "FREE_TEXT"


class LetterCase(StrEnum):
    """Case of the letters of a SPECIFIC_ID."""

    BOTH = "both"
    UPPER = "upper"
    LOWER = "lower"


class FakerPseudonymization(Model):
    """Replace by realistic values; `locale` (such as `fr_FR`, default `en_US`) is for the embedded platform only."""

    kind: Literal["FAKER"]
    pii_type: PiiType
    consistent: bool = True
    high_variability: bool = False
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}_[A-Z]{2}$")] | None = None


class HashPseudonymization(Model):
    """Replace by the SHA-256 of the value; reversible by dictionary for values that can be guessed.

    With `key`, by its HMAC-SHA-256: then only who has the key can try values. It names a variable of the environment of
    the embedded platform, the only one that offers it.
    """

    kind: Literal["HASH_SHA256"]
    key: Annotated[str, Field(pattern=r"^env/AVATAR_PSEUDONYM_KEY_[A-Z0-9_]{1,50}$")] | None = None


class UuidPseudonymization(Model):
    """Replace by a random UUID."""

    kind: Literal["UUID4"]
    consistent: bool = True


class ConstantPseudonymization(Model):
    """Replace by one constant."""

    kind: Literal["CONSTANT"]
    value: str


class IntegerPseudonymization(Model):
    """Replace by unique integers without order."""

    kind: Literal["INTEGER"]
    consistent: bool = True


class SpecificIdPseudonymization(Model):
    """Replace by a pattern: `#` digit, `?` letter, `^` lower-case letter or digit, `{{column}}` another column."""

    kind: Literal["SPECIFIC_ID"]
    pattern: Text
    letter_case: LetterCase = LetterCase.BOTH
    consistent: bool = True


Pseudonymization = Annotated[
    FakerPseudonymization
    | HashPseudonymization
    | UuidPseudonymization
    | ConstantPseudonymization
    | IntegerPseudonymization
    | SpecificIdPseudonymization,
    Field(discriminator="kind"),
]


class PublicValues(Model):
    """What everybody may know of a column before the data are seen; differential privacy takes it for granted.

    Bounds are numbers, or dates as text; values outside count as the bound. Values that are not in `categories` are
    left out. A `complete` column has no missing values. None of it may be read off the data.
    """

    lower: float | Text | None = None
    upper: float | Text | None = None
    categories: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1)] | None = None
    complete: bool = False


class Column(Model):
    """What is said about one column; `public` is for differential privacy on the embedded platform."""

    type: ColumnType | None = None
    tag: ColumnTag | None = None
    value_type: Text | None = None
    primary_key: bool = False
    identifier: bool = False
    time_series_time: bool = False
    drop: bool = False
    pseudonymization: Pseudonymization | None = None
    public: PublicValues | None = None
