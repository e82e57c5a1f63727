"""What a spec says for the privacy impact assessment: recipients, subjects, sensitivity, language."""

from __future__ import annotations

from enum import StrEnum

from avatar_gitops.spec.columns import Model, Text


class DataRecipient(StrEnum):
    """Who receives the avatars."""

    UNKNOWN = "unknown"
    OPENDATA = "opendata"
    CONTRACTUAL_THIRDPARTY = "contractual_thirdparty"
    INTERNAL = "internal"
    OUTSIDE_EU = "outside_eu"
    TRUSTED_THIRDPARTY = "trusted_thirdparty"


class DataType(StrEnum):
    """What the data are about."""

    UNKNOWN = "unknown"
    HEALTH = "health"
    HR = "hr"
    MOBILITY = "mobility"
    INSURANCE = "insurance"
    FINANCE = "finance"
    EDUCATION = "education"


class DataSubject(StrEnum):
    """Whom the data are about."""

    UNKNOWN = "unknown"
    PATIENTS = "patients"
    EMPLOYEES = "employees"
    CLIENTS = "clients"
    USERS = "users"
    STUDENTS = "students"


class SensitivityLevel(StrEnum):
    """Harm to people if the data were disclosed."""

    UNDEFINED = "Undefined"
    VERY_HIGH = "Very High"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    VERY_LOW = "Very Low"
    NEGLIGIBLE = "Negligible"


class Language(StrEnum):
    """Language of reports and summaries."""

    EN = "en"
    FR = "fr"


class Pia(Model):
    """Context of the privacy impact assessment; what is unknown stays visibly unknown in the document."""

    purpose: Text | None = None
    controller: Text | None = None
    legal_basis: Text | None = None
    retention: Text | None = None
    data_recipient: DataRecipient = DataRecipient.UNKNOWN
    data_type: DataType = DataType.UNKNOWN
    data_subject: DataSubject = DataSubject.UNKNOWN
    sensitivity_level: SensitivityLevel = SensitivityLevel.UNDEFINED
    language: Language = Language.EN


def unstated(pia: Pia) -> tuple[str, ...]:
    """Names of the fields that nobody stated; the language is always stated."""
    said = {**{name: getattr(pia, name) for name in Pia.model_fields}, "language": Language.EN}
    return tuple(name for name, value in said.items() if value in {None, "unknown", SensitivityLevel.UNDEFINED})
