"""The shapes of spec that the scale benchmark repeats: short, long, wide, and one that measures given avatars."""

from __future__ import annotations

from typing import Final

SHORT: Final = """\
# yaml-language-server: $schema=../../../schemas/run.v1.schema.json
# The shortest useful run: one table, one method, and gates.
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: set-NUMBER
  owner: data-team@example.org
spec:
  seed: 20261121
  tables:
    people:
      source: data/people.csv
      avatarization: {k: 20}
  gates:
    hidden_rate: ">= 80"
    hellinger_mean: "<= 0.2"
"""

LONG: Final = """\
# yaml-language-server: $schema=../../../schemas/run.v1.schema.json
# Column types, tags, weights, an attack scenario and a filled-in privacy impact assessment.
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: set-NUMBER
  owner: registry@example.org
  description: Visits of one year, for work with a research partner
  labels: {domain: health, team: registry}

spec:
  seed: 20261121
  tables:
    people:
      source: data/people.csv
      columns:
        age: {type: int, tag: quasi_identifier}
        sex: {type: category, tag: quasi_identifier}
        zone: {type: category}     # codes, not numbers
        visits: {type: int, tag: sensitive}
      avatarization:
        k: 15                      # a smaller k is nearer to the people
        ncp: 5
        column_weights: {visits: 3}
      privacy_metrics:
        known_variables: [age, sex]
        target: visits
  jobs: [standard, privacy_metrics, signal_metrics, report, report_pia]
  gates:
    hidden_rate: ">= 80"
    local_cloaking: ">= 2"
    hellinger_mean: "<= 0.2"
  pia:
    purpose: Models of demand with a research partner under contract
    controller: Example hospital
    legal_basis: Public interest in scientific research
    retention: Five years after the last publication
    data_recipient: trusted_thirdparty
    data_type: health
    data_subject: patients
    sensitivity_level: High
  lifecycle: {protect: false, keep_versions: 2}
"""

BLOCK: Final = """\
# Block style throughout, as programs write it.
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: "set-NUMBER"
  owner: 'registry@example.org'
  description: >
    A text over several lines, because somebody
    had more to say about this run.
spec:
  seed: 7
  tables:
    people:
      source:
        uri: data/people.csv
        format: csv
      columns:
        sex:
          type: category
        zone:
          type: category
          tag: quasi_identifier
      avatarization:
        k: 10
        ncp: 4
        exclude_variables:
          variable_names:
            - visits
          replacement_strategy: row_order
      privacy_metrics:
        known_variables:
          - age
          - zone
        target: sex
  gates:
    hidden_rate: ">= 90"
  pia:
    purpose: |
      First line of the purpose
      and the second.
    data_recipient: internal
    sensitivity_level: Low
"""

HARDENED: Final = """\
# yaml-language-server: $schema=../../../schemas/run.v1.schema.json
# The hardened generation mode.
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: set-NUMBER, owner: data-team@example.org}
spec:
  seed: 20261121
  tables:
    people:
      source: data/people.csv
      columns:
        sex: {type: category}
        zone: {type: category, tag: quasi_identifier}
      avatarization:
        k: 15
        generation: local_gaussian
  gates:
    hidden_rate: ">= 90"
    correlation_difference_ratio: "<= 10"
  results: {format: parquet}
"""

SHAPES: Final = (SHORT, LONG, BLOCK, HARDENED)
