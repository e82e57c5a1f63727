"""The words of every metric in both languages: label, plain meaning, and definition with its limit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.catalogue import canonical_name
from avatar_gitops.assessment.metric_texts_more import MORE_TEXTS
from avatar_gitops.assessment.text import MetricText, Text

METRIC_TEXTS: Final[Mapping[str, MetricText]] = MappingProxyType(
    {
        "hidden_rate": MetricText(
            Text("Hidden rate", "Taux de dissimulation"),
            Text(
                "share of people whose nearest avatar is not their own",
                "part des personnes dont l'avatar le plus proche n'est pas le leur",
            ),
            Text(
                "For each original the nearest avatar is looked up in the projected space; the rate is the share of "
                "originals whose nearest avatar was made from someone else. A tie counts as hidden. It is blind to "
                "avatars that copy another person.",
                "Pour chaque original, on cherche l'avatar le plus proche dans l'espace projeté ; le taux est la part "
                "des originaux dont l'avatar le plus proche vient de quelqu'un d'autre. Une égalité compte comme "
                "dissimulée. Il ne voit pas les avatars qui copient une autre personne.",
            ),
        ),
        "hidden_rate_strict": MetricText(
            Text("Hidden rate, strict", "Taux de dissimulation strict"),
            Text(
                "hidden rate where an exact tie counts as found",
                "taux de dissimulation où une égalité exacte compte comme trouvée",
            ),
            Text(
                "As the hidden rate, but another avatar must be strictly closer. It is much lower where rows repeat.",
                "Comme le taux de dissimulation, mais un autre avatar doit être strictement plus proche. Il est "
                "beaucoup plus bas quand des lignes se répètent.",
            ),
        ),
        "local_cloaking": MetricText(
            Text("Local cloaking", "Camouflage local"),
            Text(
                "median number of avatars closer to a person than their own",
                "nombre médian d'avatars plus proches d'une personne que le sien",
            ),
            Text(
                "For each original, count the avatars at least as close as its own; the metric is the median count.",
                "Pour chaque original, on compte les avatars au moins aussi proches que le sien ; la mesure est la "
                "médiane de ces comptes.",
            ),
        ),
        "categorical_hidden_rate": MetricText(
            Text("Categorical hidden rate", "Taux de dissimulation catégoriel"),
            Text(
                "share of people with a unique combination of categories that their avatar does not repeat",
                "part des personnes à combinaison de catégories unique que leur avatar ne reprend pas",
            ),
            Text(
                "Among originals that are alone with their combination of categories, the share whose combination is "
                "not that of their own avatar while unique there. It is unstable when few people are unique.",
                "Parmi les originaux seuls à porter leur combinaison de catégories, la part dont la combinaison n'est "
                "pas celle, unique elle aussi, de leur avatar. Elle est instable quand peu de personnes sont uniques.",
            ),
        ),
        "distance_to_closest": MetricText(
            Text("Distance to closest", "Distance au plus proche"),
            Text(
                "median distance from an avatar to the nearest original",
                "distance médiane d'un avatar à l'original le plus proche",
            ),
            Text(
                "Median over avatars of the distance to the nearest original, in the projected space. It depends on "
                "the columns and on their scale and cannot be compared between data sets. Its target in the engine of "
                "this tool is the 5th percentile of the distance from an original to the nearest other original; where "
                "that is 0, it has none.",
                "Médiane, sur les avatars, de la distance à l'original le plus proche dans l'espace projeté. Elle "
                "dépend des colonnes et de leur échelle et ne se compare pas d'un jeu de données à l'autre. Sa cible, "
                "dans le moteur de cet outil, est le 5e centile de la distance d'un original à l'autre original le "
                "plus proche ; si celui-ci est 0, elle n'en a pas.",
            ),
        ),
        "closest_distances_ratio": MetricText(
            Text("Closest distances ratio", "Ratio des distances les plus proches"),
            Text(
                "median ratio of the distances from an avatar to its nearest and second nearest originals",
                "ratio médian des distances d'un avatar à ses deux originaux les plus proches",
            ),
            Text(
                "Median over avatars of nearest distance divided by second nearest distance; near 0 an avatar sticks "
                "to one person. Its target in the engine of this tool is 0.8 times the median of that ratio from each "
                "original to the others; where that is 0, it has none.",
                "Médiane, sur les avatars, de la distance au plus proche divisée par la distance au deuxième ; près "
                "de 0, un avatar colle à une personne. Sa cible, dans le moteur de cet outil, est 0,8 fois la médiane "
                "de ce ratio de chaque original aux autres ; si celle-ci est 0, il n'en a pas.",
            ),
        ),
        "closest_rate": MetricText(
            Text("Closest rate", "Taux de proximité"),
            Text(
                "share of avatars that are not both too close to an original and far from all others",
                "part des avatars qui ne sont pas à la fois trop proches d'un original et loin des autres",
            ),
            Text(
                "An avatar is counted as exposed when both its nearest distance and its closest distances ratio are "
                "below a low quantile of those of people who were not used; the rate is the share of the others.",
                "Un avatar est compté comme exposé quand sa distance au plus proche et son ratio des distances sont "
                "tous deux sous un quantile bas de ceux de personnes non utilisées ; le taux est la part des autres.",
            ),
        ),
        "column_direct_match_protection": MetricText(
            Text("Column direct match protection", "Protection contre les correspondances directes par colonne"),
            Text(
                "protection of the column that identifies best, 0 when it was left untouched",
                "protection de la colonne la plus identifiante, 0 si elle est restée intacte",
            ),
            Text(
                "Per column, 1 minus the share of avatars that keep the value of their original times the share of "
                "distinct values; the metric is the smallest one.",
                "Par colonne, 1 moins la part des avatars qui gardent la valeur de leur original multipliée par la "
                "part de valeurs distinctes ; la mesure est la plus petite.",
            ),
        ),
        "row_direct_match_protection": MetricText(
            Text("Row direct match protection", "Protection contre les correspondances directes par ligne"),
            Text(
                "share of people whose full row does not stand among the avatars",
                "part des personnes dont la ligne complète ne figure pas parmi les avatars",
            ),
            Text(
                "1 minus the share of original rows found unchanged among the avatars. It says little for tables with "
                "few columns and few distinct values.",
                "1 moins la part des lignes originales retrouvées telles quelles parmi les avatars. Elle dit peu pour "
                "des tables à peu de colonnes et peu de valeurs distinctes.",
            ),
        ),
        "knowledge_protection_rate": MetricText(
            Text("Knowledge protection rate", "Taux de protection des connaissances"),
            Text(
                "share of people that an attacker with some known variables does not trace to their own avatar",
                "part des personnes qu'un attaquant connaissant certaines variables ne relie pas à leur avatar",
            ),
            Text(
                "The attacker looks for the nearest avatar on the known variables only; the rate is the share of "
                "originals whose nearest avatar is not their own. It holds for the stated known variables.",
                "L'attaquant cherche l'avatar le plus proche sur les seules variables connues ; le taux est la part "
                "des originaux dont cet avatar n'est pas le leur. Il vaut pour les variables connues indiquées.",
            ),
        ),
        "linkability_protection_rate": MetricText(
            Text("Linkability protection rate", "Taux de protection contre la corrélation"),
            Text(
                "share of people whose two halves, held by two databases, the avatars do not bring together",
                "part des personnes dont les avatars ne rapprochent pas deux moitiés détenues séparément",
            ),
            Text(
                "For two disjoint groups of variables the nearest avatar is looked up on each; the rate is the share "
                "of originals for which both are not the same avatar.",
                "Pour deux groupes disjoints de variables, on cherche l'avatar le plus proche sur chacun ; le taux "
                "est la part des originaux pour lesquels ce n'est pas le même avatar.",
            ),
        ),
        "inference_accuracy_ratio": MetricText(
            Text("Inference accuracy ratio", "Ratio de précision d'inférence"),
            Text(
                "how much avatars help to guess a value, against data of other people; 100 is equal, more is safer",
                "aide des avatars pour deviner une valeur, face aux données d'autres personnes ; 100 : autant, plus "
                "est plus sûr",
            ),
            Text(
                "A model learned on real people outside the test set is compared with one learned on avatars of the "
                "people under test; the ratio is 100 times the accuracy of the first over that of the second "
                "(errors the other way round).",
                "Un modèle appris sur des personnes réelles hors du test est comparé à un modèle appris sur les "
                "avatars des personnes testées ; le ratio est 100 fois la précision du premier sur celle du second "
                "(l'inverse pour des erreurs).",
            ),
        ),
        "inference_continuous": MetricText(
            Text("Inference of a number", "Inférence d'un nombre"),
            Text(
                "mean relative error of an attacker who guesses the target number from known variables",
                "erreur relative moyenne d'un attaquant qui devine le nombre cible à partir de variables connues",
            ),
            Text(
                "A model learned on the avatars predicts the target on the originals; the metric is the mean absolute "
                "relative error.",
                "Un modèle appris sur les avatars prédit la cible sur les originaux ; la mesure est l'erreur relative "
                "absolue moyenne.",
            ),
        ),
        "inference_categorical": MetricText(
            Text("Inference of a category", "Inférence d'une catégorie"),
            Text(
                "share of wrong guesses of an attacker who guesses the target category from known variables",
                "part d'erreurs d'un attaquant qui devine la catégorie cible à partir de variables connues",
            ),
            Text(
                "A model learned on the avatars predicts the target on the originals; the metric is the share of "
                "wrong predictions.",
                "Un modèle appris sur les avatars prédit la cible sur les originaux ; la mesure est la part de "
                "prédictions fausses.",
            ),
        ),
        "membership_auc": MetricText(
            Text("Membership attack, area under the curve", "Attaque d'appartenance, aire sous la courbe"),
            Text(
                "how well an attacker tells people who were used from people who were not; 0.5 is guessing",
                "capacité d'un attaquant à distinguer les personnes utilisées des autres ; 0,5 est le hasard",
            ),
            Text(
                "Area under the curve of an attack that scores a person by the distance to the nearest avatar, on "
                "people who were used and people who were held out.",
                "Aire sous la courbe d'une attaque qui note une personne par sa distance à l'avatar le plus proche, "
                "sur des personnes utilisées et des personnes mises de côté.",
            ),
        ),
        "membership_tpr_at_1_fpr": MetricText(
            Text("Membership attack at 1% false alarms", "Attaque d'appartenance à 1 % de fausses alertes"),
            Text(
                "share of used people that the attack finds while wrong about 1% of the others",
                "part des personnes utilisées que l'attaque trouve en se trompant sur 1 % des autres",
            ),
            Text(
                "True positive rate of the distance attack at a false positive rate of 1%. It shows the few people "
                "who are at risk where the area under the curve averages them away.",
                "Taux de vrais positifs de l'attaque par distance pour 1 % de faux positifs. Il montre les quelques "
                "personnes exposées que l'aire sous la courbe noie dans la moyenne.",
            ),
        ),
        "hellinger_mean": MetricText(
            Text("Mean Hellinger distance", "Distance de Hellinger moyenne"),
            Text(
                "distance between original and avatar distributions; 0 is equal",
                "distance entre les distributions des originaux et des avatars ; 0 : égales",
            ),
            Text(
                "Mean over columns of the Hellinger distance between the two distributions (numbers in bins), from 0 "
                "to 1. It sees one column at a time. In a small table a part of it is chance, which an interval takes "
                "away: the value then stands at its upper end.",
                "Moyenne, sur les colonnes, de la distance de Hellinger entre les deux distributions (nombres en "
                "classes), de 0 à 1. Elle voit une colonne à la fois. Dans une petite table, une part en est due au "
                "hasard, qu'un intervalle retire : la valeur est alors à son extrémité haute.",
            ),
        ),
        "multivariate_hellinger_mean": MetricText(
            Text("Multivariate Hellinger distance", "Distance de Hellinger multivariée"),
            Text(
                "distance between originals and avatars on the main axes of the data; 0 is equal",
                "distance entre originaux et avatars sur les axes principaux des données ; 0 : égaux",
            ),
            Text(
                "Mean Hellinger distance of the coordinates on the first axes of the projection.",
                "Distance de Hellinger moyenne des coordonnées sur les premiers axes de la projection.",
            ),
        ),
        "correlation_difference_ratio": MetricText(
            Text("Correlation difference", "Écart de corrélation"),
            Text(
                "mean absolute difference between correlations of originals and of avatars",
                "écart absolu moyen entre les corrélations des originaux et celles des avatars",
            ),
            Text(
                "100 times the mean absolute difference of the correlations of all pairs of numeric columns.",
                "100 fois l'écart absolu moyen des corrélations de toutes les paires de colonnes numériques.",
            ),
        ),
        **MORE_TEXTS,
    }
)


def metric_label(name: str, language: str) -> str:
    """The label of a metric; a metric without words keeps its name."""
    words = METRIC_TEXTS.get(canonical_name(name))
    return words.label.in_(language) if words else name


def metric_meaning(name: str, language: str) -> str:
    """The plain meaning of a metric in one clause, empty for a metric without words."""
    words = METRIC_TEXTS.get(canonical_name(name))
    return words.meaning.in_(language) if words else ""


def metric_definition(name: str, language: str) -> str:
    """How a metric is computed and what it misses, empty for a metric without words."""
    words = METRIC_TEXTS.get(canonical_name(name))
    return words.definition.in_(language) if words else ""
