"""Words of the technical report in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.phrases import PHRASES
from avatar_gitops.assessment.phrases_risk import RISK_PHRASES
from avatar_gitops.assessment.text import Text

_OWN: Final[Mapping[str, Text]] = {
    "title": Text("Technical anonymization report: {set}", "Rapport technique d'anonymisation : {set}"),
    "subject": Text("Technical anonymization report", "Rapport technique d'anonymisation"),
    "made_from": Text(
        "Run of {date} · engine {engine} · spec {spec}", "Exécution du {date} · moteur {engine} · spécification {spec}"
    ),
    "h.objective": Text("1 Objective", "1 Objet"),
    "objective": Text(
        "This report measures the residual risk for people and the utility of the anonymized tables of {set}.",
        "Ce rapport mesure le risque résiduel pour les personnes et l'utilité des tables anonymisées de {set}.",
    ),
    "h.summary": Text("2 Summary", "2 Synthèse"),
    "h.summary.table": Text("2.{number} Table {table}", "2.{number} Table {table}"),
    "summary.privacy": Text("Privacy metrics of table {table}", "Mesures de confidentialité de la table {table}"),
    "summary.signal": Text(
        "Signal retention metrics of table {table}", "Mesures de conservation du signal de la table {table}"
    ),
    "t.privacy": Text("Privacy", "Confidentialité"),
    "t.signal": Text("Signal retention", "Conservation du signal"),
    "t.verdict": Text("Verdict per criterion", "Verdict par critère"),
    "no_metric": Text("No metric was measured.", "Aucune mesure n'a été faite."),
    "h.privacy": Text("3 Privacy metrics", "3 Métriques de confidentialité"),
    "h.attack": Text("3.1 Attack scenario", "3.1 Scénario d'attaque"),
    "attack.criteria": Text(
        "Three criteria come from Opinion 05/2014 of the Article 29 Working Party: singling out, linkability and "
        "inference. Membership is measured beside them. Attacks search by distance in a space learned on originals.",
        "Trois critères viennent de l'avis 05/2014 du groupe de l'article 29 : individualisation, corrélation et "
        "inférence. L'appartenance est mesurée à côté. Les attaques cherchent par distance dans un espace appris sur "
        "les originaux.",
    ),
    "h.metric": Text("{number} {metric}", "{number} {metric}"),
    "metric.meaning": Text("What it says: {meaning}.", "Ce qu'elle dit : {meaning}."),
    "metric.values": Text("{metric} per table", "{metric} par table"),
    "h.signal": Text("4 Signal retention", "4 Métriques de conservation du signal"),
    "h.columns": Text(
        "{number} Hellinger distance per column, {table}", "{number} Distance de Hellinger par colonne, {table}"
    ),
    "columns.intro": Text(
        "0 is an equal distribution, 1 a distribution without anything in common.",
        "0 est une distribution égale, 1 une distribution sans rien en commun.",
    ),
    "columns.summary": Text("Hellinger distance per column", "Distance de Hellinger par colonne"),
    "columns.legend": Text(
        "Lines: goal {goal} (full), tolerance {tolerance} (dashed).",
        "Traits : objectif {goal} (plein), tolérance {tolerance} (pointillé).",
    ),
    "head.column": Text("Column", "Colonne"),
    "head.distance": Text("Distance", "Distance"),
    "h.figures": Text("{number} Figures of {table}", "{number} Figures de {table}"),
    "figures.intro": Text(
        "Originals are drawn as shares of at least 10 rows, avatars as they are delivered.",
        "Les originaux sont dessinés en parts d'au moins 10 lignes, les avatars tels qu'ils sont livrés.",
    ),
    "figure.2d_projection": Text(
        "Originals and avatars on the first two axes", "Originaux et avatars sur les deux premiers axes"
    ),
    "figure.contribution": Text("Contribution of columns to the axes", "Contribution des colonnes aux axes"),
    "figure.correlation": Text("Correlations of originals and of avatars", "Corrélations des originaux et des avatars"),
    "figure.correlation_difference": Text("Difference of the correlations", "Différence des corrélations"),
    "h.parameters": Text("5 Parameters", "5 Paramètres"),
    "h.parameters.table": Text("5.{number} Table {table}", "5.{number} Table {table}"),
    "parameters.summary": Text("Parameters of the table", "Paramètres de la table"),
    "h.limits": Text("6 Limits", "6 Limites"),
    "h.metadata": Text("7 Metadata", "7 Métadonnées"),
    "tables.summary": Text("Tables of the set", "Tables du jeu"),
    "annex.provenance.summary": Text("Provenance of the figures", "Provenance des chiffres"),
}

TECHNICAL_PHRASES: Final[Mapping[str, Text]] = MappingProxyType({**PHRASES, **RISK_PHRASES, **_OWN})
