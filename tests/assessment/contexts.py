"""Contexts of an assessment, and the orders of their values, for laws about risk."""

from __future__ import annotations

from hypothesis import strategies as st

from avatar_gitops.assessment import PiaContext

FROM_NARROW_TO_WIDE = ("internal", "trusted_thirdparty", "contractual_thirdparty", "outside_eu", "opendata", "unknown")
FROM_LOW_TO_HIGH = ("Negligible", "Very Low", "Low", "Medium", "High", "Very High", "Undefined")

data_types = st.sampled_from(["unknown", "health", "hr", "mobility", "insurance", "finance", "education"])
subjects = st.sampled_from(["unknown", "patients", "employees", "clients", "users", "students"])
contexts = st.builds(
    PiaContext,
    data_recipient=st.sampled_from(FROM_NARROW_TO_WIDE),
    data_type=data_types,
    data_subject=subjects,
    sensitivity_level=st.sampled_from(FROM_LOW_TO_HIGH),
)
