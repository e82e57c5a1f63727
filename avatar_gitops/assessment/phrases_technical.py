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
    "metric.meaning": Text("What it says:", "Ce qu'elle dit :"),
    "metric.values": Text("{metric} per table", "{metric} par table"),
    "h.not_measured": Text("{number} Not measured", "{number} Non mesuré"),
    "not_measured.intro": Text(
        "These metrics exist and have no value here, for any table. That is no result, neither good nor bad.",
        "Ces mesures existent et n'ont ici de valeur pour aucune table. Ce n'est pas un résultat, ni bon ni mauvais.",
    ),
    "head.why": Text("Reason", "Raison"),
    "why.link": Text("no avatar belongs to one person", "aucun avatar n'appartient à une seule personne"),
    "why.control": Text("no people who were not used as a control", "pas de personnes non utilisées comme contrôle"),
    "why.known": Text("no known variables are stated", "aucune variable connue n'est énoncée"),
    "why.target": Text("no target is stated", "aucune cible n'est énoncée"),
    "why.other": Text("no reason is on record", "aucune raison n'est enregistrée"),
    "not_measured.summary": Text("Metrics that were not measured", "Mesures non faites"),
    "worst_shown.technical": Text(
        "Of each metric the worst value is shown here, over the table alone and {views}; sections 3 and 4 have all of "
        "them.",
        "De chaque mesure est montrée ici la pire valeur, sur la table seule et sur {views} ; les sections 3 et 4 les "
        "donnent toutes.",
    ),
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
    "figures.none": Text(
        "This document has no figures. Those that a run draws stand in the report that its server made.",
        "Ce document n'a pas de figures. Celles qu'une exécution dessine sont dans le rapport fait par son serveur.",
    ),
    "h.figures": Text("{number} Figures of {table}", "{number} Figures de {table}"),
    "figures.intro": Text(
        "Originals are drawn as shares of at least 10 rows, avatars as they are delivered.",
        "Les originaux sont dessinés en parts d'au moins 10 lignes, les avatars tels qu'ils sont livrés.",
    ),
    "figure.2d_projection": Text(
        "Originals and avatars on the first two axes.", "Originaux et avatars sur les deux premiers axes."
    ),
    "gauges.legend": Text(
        "Dot: bound met, cross: bound missed, stroke: bound, pale bar: 95% interval.",
        "Point : borne tenue, croix : borne manquée, trait : borne, barre pâle : intervalle à 95 %.",
    ),
    "gauges.alt": Text("{summary}; missed: {missed}.", "{summary} ; manquées : {missed}."),
    "figure.number": Text("Figure {number}.", "Figure {number}."),
    "figure.raw_series": Text("Series of {subject} over time.", "Séries de {subject} au cours du temps."),
    "figure.raw_series.alt": Text(
        "Series of {subject} over time: bands with the middle 50% and 80% of the originals, the mean of the originals "
        "and that of the avatars, and the curves of some avatars.",
        "Séries de {subject} au cours du temps : bandes avec les 50 % et 80 % centraux des originaux, moyenne des "
        "originaux et des avatars, et courbes de quelques avatars.",
    ),
    "figure.normalized_series": Text(
        "Series of {subject} in standard deviations from the mean of the originals, over the elapsed share of each "
        "series.",
        "Séries de {subject} en écarts-types autour de la moyenne des originaux, selon la part écoulée de chaque "
        "série.",
    ),
    "figure.normalized_series.alt": Text(
        "Series of {subject} in standard deviations from the mean of the originals: bands with the middle 50% and 80% "
        "of the originals, the mean of both sides, and the curves of some avatars.",
        "Séries de {subject} en écarts-types autour de la moyenne des originaux : bandes avec les 50 % et 80 % "
        "centraux des originaux, moyenne des deux côtés, et courbes de quelques avatars.",
    ),
    "figures.intro.series": Text(
        "Every series is drawn on one grid of times from its own start to its own end. No curve of an original is "
        "drawn: the bands and the means of the originals come from all of them, each end of a band from the people "
        "around that rank, and nothing of them is drawn for fewer than 10 people. Of each kind at most six variables "
        "are shown.",
        "Chaque série est dessinée sur une même grille de temps, de son début à sa fin. Aucune courbe d'un original "
        "n'est dessinée : les bandes et les moyennes des originaux viennent d'eux tous, chaque bord de bande des "
        "personnes voisines de ce rang, et rien n'en est dessiné pour moins de 10 personnes. De chaque sorte, six "
        "variables au plus sont montrées.",
    ),
    "figure.class_projection_2d": Text(
        "Originals and avatars on the first two axes, by {subject}.",
        "Originaux et avatars sur les deux premiers axes, selon {subject}.",
    ),
    "figure.aggregate_stats": Text("Mean and standard deviation of columns.", "Moyenne et écart-type des colonnes."),
    "figure.contribution": Text("Contribution of columns to the axes.", "Contribution des colonnes aux axes."),
    "figure.correlation": Text(
        "Correlations of originals and of avatars.", "Corrélations des originaux et des avatars."
    ),
    "figure.correlation_difference": Text("Difference of the correlations.", "Différence des corrélations."),
    "h.parameters": Text("5 Parameters", "5 Paramètres"),
    "h.parameters.table": Text("5.{number} Table {table}", "5.{number} Table {table}"),
    "parameters.summary": Text("Parameters of the table", "Paramètres de la table"),
    "h.links": Text("5.{number} Links between tables", "5.{number} Liens entre tables"),
    "links.intro": Text(
        "Tables that belong together are anonymized together. Each is measured alone, and with what its links add:",
        "Les tables liées sont anonymisées ensemble. Chacune est mesurée seule, et avec l'apport de ses liens :",
    ),
    "links.summary": Text("Links between tables", "Liens entre tables"),
    "head.parent": Text("Parent", "Table mère"),
    "head.child": Text("Child", "Table fille"),
    "head.link": Text("Method", "Méthode"),
    "scope.to_top_enriched.meaning": Text(
        "with what its child tables add: a person is known with a digest of all their rows below.",
        "avec l'apport des tables filles : une personne est connue avec un résumé de toutes ses lignes en dessous.",
    ),
    "scope.to_bottom_information_propagated.meaning": Text(
        "with what its parent tables add: a row is known with what stands above it.",
        "avec l'apport des tables parentes : une ligne est connue avec ce qui se trouve au-dessus d'elle.",
    ),
    "scope.to_bottom_id_propagated.meaning": Text(
        "to find a person by any of their rows: the best of all rows counts for the attacker.",
        "retrouver une personne par l'une de ses lignes : la meilleure de toutes compte pour l'attaquant.",
    ),
    "scope.full_enriched.meaning": Text(
        "by a row with all that the parent tables add.", "par une ligne avec tout l'apport des tables parentes."
    ),
    "link.linear_sum_assignment": Text(
        "avatars of rows are given to avatars of the parent at the least total distance, as many to each as its own "
        "avatar says",
        "les avatars de lignes vont aux avatars de la table mère à distance totale minimale, à chacun autant que son "
        "propre avatar le dit",
    ),
    "link.minimum_distance_assignment": Text(
        "each avatar of a row goes to the nearest avatar of the parent",
        "chaque avatar d'une ligne va à l'avatar le plus proche de la table mère",
    ),
    "link.sensitive_original_order_assignment": Text(
        "the rows made from those of a person stay with the avatar of that person: sensitive",
        "les lignes issues de celles d'une personne restent avec l'avatar de cette personne : sensible",
    ),
    "link.time_series": Text("values over time of each person", "valeurs dans le temps de chaque personne"),
    "h.series": Text("5.{number} Time series", "5.{number} Séries temporelles"),
    "series.intro": Text(
        "Series are projected on a few curves (functional principal components, or points in time). Avatars of series "
        "are means of the curves of neighbours, un-aligned to times of measurement again. Privacy of a series table is "
        "measured on people, by the scores of all their curves; utility is measured point by point and by density. "
        "Lengths, start dates and rare motifs of a series can single out a person even where curves do not.",
        "Les séries sont projetées sur quelques courbes (composantes principales fonctionnelles, ou points dans le "
        "temps). Les avatars de séries sont des moyennes de courbes voisines, replacées à des instants de mesure. La "
        "confidentialité d'une table de séries est mesurée sur les personnes, par les scores de toutes leurs courbes ; "
        "l'utilité est mesurée point par point et par densité. Longueurs, dates de début et motifs rares d'une série "
        "peuvent individualiser une personne même là où les courbes ne le font pas.",
    ),
    "h.data": Text("7.1 Data", "7.1 Données"),
    "h.provenance": Text("7.2 Provenance", "7.2 Provenance"),
    "h.limits": Text("6 Limits and rules", "6 Limites et règles"),
    "h.limits.measured": Text("6.1 Limits", "6.1 Limites"),
    "h.rules": Text("6.2 Rules of the verdicts", "6.2 Règles des verdicts"),
    "h.metadata": Text("7 Metadata", "7 Métadonnées"),
    "tables.summary": Text("Tables of the set", "Tables du jeu"),
    "annex.provenance.summary": Text("Provenance of the figures", "Provenance des chiffres"),
}

TECHNICAL_PHRASES: Final[Mapping[str, Text]] = MappingProxyType({**PHRASES, **RISK_PHRASES, **_OWN})
