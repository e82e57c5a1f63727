"""How tables are anonymized, told from the documents of a set for its report and its page alike."""

from __future__ import annotations

from avatar_gitops.server.methods import method_of, parameters_of
from avatar_gitops.server.sets import parsed_set
from avatar_gitops.server.web.parameters import METHOD_WORDS, table_settings
from tests.server.api import documents
from tests.server.workshop import edited


def test_each_method_is_told_with_its_parameters() -> None:
    found = parsed_set(documents())
    assert method_of(found, "people")[0] == "avatar"
    assert parameters_of(found, "people")["k"] == 5
    private = parsed_set(documents(avatarization={}, avatarization_open_dp={"people": {"epsilon": 2.0}}))
    assert method_of(private, "people")[0] == "open_dp"
    assert method_of(found, "visits") == ("none", None)
    assert parameters_of(found, "visits") == {}


def test_a_table_of_series_alone_is_anonymized_not_measured() -> None:
    series = {"people": {"projection": {"projection_type": "fpca"}}}
    text = edited(lambda specs: specs["standard"].update(avatarization={}, time_series=series))
    found = parsed_set(text)
    assert method_of(found, "people") == ("avatar", None)
    assert parameters_of(found, "people") == {"time_series": series["people"]}
    [table] = table_settings(found)
    told = {setting.name: setting.value for setting in table.groups["Anonymization"]}
    assert told["method"] == METHOD_WORDS["avatar"]
    assert any("projection_type" in name for name in told)
