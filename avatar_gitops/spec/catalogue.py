"""Every code of a finding about a file, with its title: Y for YAML, S for structure, X for fields, files, data.

Codes are public: a code never changes its meaning, and a code that is no longer used is not given away again.
"""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "Y001": "the text is not YAML",
    "Y002": "a key appears twice",
    "Y003": "a tab indents a line",
    "Y004": "more than one document in a file",
    "Y005": "the file is empty",
    "Y006": "anchors expand to too many values",
    "Y007": "values are nested too deep",
    "Y008": "the file is too large",
    "Y009": "a character is not allowed",
    "Y010": "a number is not finite",
    "Y012": "a key is not text",
    "Y013": "a tag is not allowed",
    "Y014": "an alias or a merge has no value",
    "S001": "a key is missing",
    "S002": "a key is unknown",
    "S003": "a value is not one of the choices",
    "S004": "a number is out of range",
    "S005": "a value has the wrong type",
    "S006": "a text has the wrong form",
    "S007": "a value is empty",
    "S008": "a text is too long",
    "S009": "a value does not fit the schema",
    "S010": "an unquoted date stands where no text can",
    "S020": "a secret is written in a file",
    "X001": "a set name is used twice",
    "X002": "a data file cannot be used",
    "X003": "a column does not exist",
    "X004": "a table has no method",
    "X005": "a table has two methods",
    "X006": "what is said about a column contradicts itself",
    "X007": "k is too large for the table",
    "X008": "a job needs another job",
    "X009": "a job is listed twice",
    "X010": "an identifier goes through anonymization",
    "X011": "a remote source has no digest",
    "X012": "a kind of source is not known",
    "X013": "a gate names an unknown metric",
    "X014": "a gate points the wrong way",
    "X015": "a gate always or never passes",
    "X016": "the target is already known",
    "X017": "a header names a column twice",
    "X018": "a header looks like data",
    "X019": "a path leaves the project",
    "X020": "a file is not the one that the spec names",
    "X021": "a server does not exist",
    "X022": "the address of a server cannot be used",
}
