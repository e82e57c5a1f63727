"""The words of the attacks that need a control, of the audit and census, and of the further utility metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.text import MetricText, Text

_CONTROL: Final = Text(
    "It is measured against people who were not used, from a holdout or a shadow run.",
    "Elle se mesure face à des personnes non utilisées, d'un échantillon de contrôle ou d'une exécution fictive.",
)

# name: label, meaning, definition; English and French of each
_WORDS: Final[Mapping[str, tuple[str, str, str, str, str, str]]] = {
    "membership_tpr_at_10_fpr": (
        "Membership attack at 10% false alarms",
        "Attaque d'appartenance à 10 % de fausses alertes",
        "share of used people that the attack finds while wrong about 10% of the others",
        "part des personnes utilisées que l'attaque trouve en se trompant sur 10 % des autres",
        "True positive rate of the distance attack at a false positive rate of 10%.",
        "Taux de vrais positifs de l'attaque par distance pour 10 % de faux positifs.",
    ),
    "membership_auc_isolated": (
        "Membership attack on the most isolated people",
        "Attaque d'appartenance sur les personnes les plus isolées",
        "how well the attack works on the 5% of people who resemble others least; 0.5 is guessing",
        "réussite de l'attaque sur les 5 % de personnes qui ressemblent le moins aux autres ; 0,5 est le hasard",
        "Area under the curve of the distance attack on the people whose nearest original is farthest. Few people "
        "stand behind it, so its interval is wide.",
        "Aire sous la courbe de l'attaque par distance, sur les personnes dont l'original le plus proche est le plus "
        "loin. Peu de personnes la portent : son intervalle est large.",
    ),
    "membership_auc_density": (
        "Membership attack by density",
        "Attaque d'appartenance par densité",
        "how well an attacker tells used people by where avatars are denser than the population; 0.5 is guessing",
        "réussite d'un attaquant qui cherche où les avatars sont plus denses que la population ; 0,5 est le hasard",
        "Area under the curve of an attack that scores a person by the density of avatars over that of unused people "
        "(DOMIAS).",
        "Aire sous la courbe d'une attaque qui note une personne par la densité des avatars rapportée à celle de "
        "personnes non utilisées (DOMIAS).",
    ),
    "hidden_rate_worst_group": (
        "Hidden rate of the worst group",
        "Taux de personnes cachées du groupe le moins protégé",
        "share of hidden people in the group of people where it is lowest",
        "part de personnes cachées dans le groupe de personnes où elle est la plus faible",
        "The hidden rate among the people who share one category of a declared column, for the category where it is "
        "lowest. Groups of fewer than 30 people are left out; the interval is widened for the number of groups.",
        "Le taux de personnes cachées parmi celles qui partagent une catégorie d'une colonne déclarée, pour la "
        "catégorie où il est le plus faible. Les groupes de moins de 30 personnes sont laissés de côté ; l'intervalle "
        "est élargi selon le nombre de groupes.",
    ),
    "membership_auc_worst_group": (
        "Membership attack on the worst group",
        "Attaque d'appartenance sur le groupe le moins protégé",
        "how well the attack works in the group of people where it works best; 0.5 is guessing",
        "réussite de l'attaque dans le groupe de personnes où elle réussit le mieux ; 0,5 est le hasard",
        "Area under the curve of the distance attack among the people who share one category of a declared column, for "
        "the category where it is highest. Groups of fewer than 30 people are left out; the interval is widened for "
        "the number of groups.",
        "Aire sous la courbe de l'attaque par distance parmi les personnes qui partagent une catégorie d'une colonne "
        "déclarée, pour la catégorie où elle est la plus grande. Les groupes de moins de 30 personnes sont laissés de "
        "côté ; l'intervalle est élargi selon le nombre de groupes.",
    ),
    "distance_to_closest_share": (
        "DCR share",
        "Part DCR",
        "share of avatars nearer to a used person than to one of as many unused people; 50% is chance",
        "part des avatars plus proches d'une personne utilisée que d'une personne parmi autant de non utilisées ; 50 % "
        "est le hasard",
        "For each avatar the nearest person is looked up among used people and among as many unused ones, in all "
        "dimensions; the share is that of avatars whose nearest person was used, a tie being half, over all ways of "
        "drawing as many used people as there are unused ones.",
        "Pour chaque avatar, on cherche la personne la plus proche parmi les personnes utilisées et parmi autant de "
        "non utilisées, dans toutes les dimensions ; la part est celle des avatars dont la plus proche a été "
        "utilisée, une égalité comptant pour moitié, sur tous les tirages d'autant de personnes utilisées qu'il y a "
        "de non utilisées.",
    ),
    "singling_out_univariate_risk": (
        "Risk of singling out by one value",
        "Risque d'individualisation par une valeur",
        "what a unique or extreme value of an avatar tells an attacker about a used person",
        "ce qu'une valeur unique ou extrême d'un avatar apprend à un attaquant sur une personne utilisée",
        "Share of values that one avatar alone has and that single out exactly one used person, less what they single "
        "out among unused people (Anonymeter); 0 is no gain.",
        "Part des valeurs propres à un seul avatar qui isolent une personne utilisée, moins ce qu'elles isolent parmi "
        "des personnes non utilisées (Anonymeter) ; 0 : aucun gain.",
    ),
    "singling_out_multivariate_risk": (
        "Risk of singling out by several values",
        "Risque d'individualisation par plusieurs valeurs",
        "what a unique combination of an avatar tells an attacker about a used person",
        "ce qu'une combinaison unique d'un avatar apprend à un attaquant sur une personne utilisée",
        "The same with conditions on four random columns of an avatar.",
        "De même, avec des conditions sur quatre colonnes d'un avatar prises au hasard.",
    ),
    "linkability_risk": (
        "Risk of linking, nearest avatar",
        "Risque de corrélation, avatar le plus proche",
        "what avatars add for an attacker who links two files about the same people",
        "ce que les avatars apportent à un attaquant qui relie deux fichiers sur les mêmes personnes",
        "Share of used people whose nearest avatars on two sets of columns are the same one, less the same share for "
        "unused people (Anonymeter).",
        "Part des personnes utilisées dont les avatars les plus proches sur deux groupes de colonnes coïncident, moins "
        "cette part pour des personnes non utilisées (Anonymeter).",
    ),
    "linkability_risk_5": (
        "Risk of linking, five nearest avatars",
        "Risque de corrélation, cinq avatars les plus proches",
        "the same for an attacker who looks at the five nearest avatars",
        "de même, pour un attaquant qui regarde les cinq avatars les plus proches",
        "As the risk of linking, but the five nearest avatars on each side may meet.",
        "Comme le risque de corrélation, mais les cinq avatars les plus proches de chaque côté peuvent se rencontrer.",
    ),
    "inference_risk": (
        "Risk of inference",
        "Risque d'inférence",
        "what avatars tell of a used person's target beyond what they tell of anybody's",
        "ce que les avatars disent de la cible d'une personne utilisée, au-delà de ce qu'ils disent de tous",
        "Share of used people whose target is that of the nearest avatar on the known variables (numbers within 5%), "
        "less the same share for unused people (Anonymeter).",
        "Part des personnes utilisées dont la cible est celle de l'avatar le plus proche sur les variables connues "
        "(nombres à 5 % près), moins cette part pour des personnes non utilisées (Anonymeter).",
    ),
    "dominated_avatars_rate": (
        "Avatars with a dominant donor",
        "Avatars à donneur dominant",
        "share of avatars that sit almost on a single person other than their own",
        "part des avatars presque posés sur une seule personne autre que la leur",
        "An avatar counts when, of the two nearest originals that are not its own, the nearer one would have more than "
        "90% of the weight. Own-record metrics cannot see this.",
        "Un avatar compte quand, des deux originaux les plus proches qui ne sont pas le sien, le premier aurait plus "
        "de 90 % du poids. Les mesures sur son propre avatar ne le voient pas.",
    ),
    "donor_distance": (
        "Distance to the nearest donor",
        "Distance au donneur le plus proche",
        "median distance from an avatar to the nearest person other than its own",
        "distance médiane d'un avatar à la personne la plus proche autre que la sienne",
        "Median in the projected space; it depends on columns and scale.",
        "Médiane dans l'espace projeté ; elle dépend des colonnes et de leur échelle.",
    ),
    "rare_modalities_rate": (
        "Rare categories before",
        "Modalités rares avant",
        "share of categories that fewer than five people have",
        "part des modalités que moins de cinq personnes portent",
        "Over all categorical columns of the originals. Rare categories should be grouped.",
        "Sur toutes les colonnes catégorielles des originaux. Il convient de regrouper les modalités rares.",
    ),
    "rare_modalities_released_rate": (
        "Rare categories that come back",
        "Modalités rares reprises",
        "share of the rare categories that some avatar has",
        "part des modalités rares qu'au moins un avatar porte",
        "A category with a single holder in the output shows that its holder was used.",
        "Une modalité à porteur unique dans la sortie montre que ce porteur a été utilisé.",
    ),
    "extremes_released_rate": (
        "Extremes that come back",
        "Extrêmes repris",
        "share of smallest and largest numbers of a single person that some avatar has",
        "part des plus petits et plus grands nombres d'une seule personne qu'au moins un avatar porte",
        "Only ends of a column that one original alone has are counted.",
        "Seules comptent les extrémités d'une colonne qu'un seul original porte.",
    ),
    "unique_combinations_rate": (
        "Unique people before",
        "Personnes uniques avant",
        "share of people who are alone with their known variables",
        "part des personnes seules à porter leurs variables connues",
        "Combinations of the known variables that one original alone has; numbers as they are printed.",
        "Combinaisons des variables connues qu'un seul original porte ; nombres tels qu'affichés.",
    ),
    "replicated_uniques_rate": (
        "Unique people who come back unique",
        "Personnes uniques reprises uniques",
        "share of people whose unique known variables are unique again among avatars",
        "part des personnes dont les variables connues uniques sont de nouveau uniques parmi les avatars",
        "Replicated uniques (RepU of synthpop) over all originals.",
        "Uniques répliqués (RepU de synthpop) sur l'ensemble des originaux.",
    ),
    "k_map": (
        "Fewest people behind a combination",
        "Plus petit nombre de personnes derrière une combinaison",
        "smallest number of originals with known variables that some avatar shows",
        "plus petit nombre d'originaux aux variables connues qu'un avatar montre",
        "k-map: over combinations of the known variables that originals and avatars share.",
        "k-map : sur les combinaisons des variables connues communes aux originaux et aux avatars.",
    ),
    "kolmogorov_smirnov_mean": (
        "Mean Kolmogorov-Smirnov distance",
        "Distance de Kolmogorov-Smirnov moyenne",
        "distance between original and avatar distributions of numbers, without bins; 0 is equal",
        "distance entre les distributions des nombres, originaux et avatars, sans classes ; 0 : égales",
        "Mean over numeric columns of the largest gap between the two cumulative distributions.",
        "Moyenne, sur les colonnes numériques, du plus grand écart entre les deux répartitions cumulées.",
    ),
    "total_variation_mean": (
        "Mean total variation",
        "Variation totale moyenne",
        "distance between original and avatar shares of categories; 0 is equal",
        "distance entre les parts des modalités, originaux et avatars ; 0 : égales",
        "Mean over categorical columns of half the summed differences of shares.",
        "Moyenne, sur les colonnes catégorielles, de la demi-somme des écarts de parts.",
    ),
    "association_difference_mean": (
        "Association difference",
        "Écart d'association",
        "mean absolute difference between associations of originals and of avatars, all kinds of columns",
        "écart absolu moyen entre les associations des originaux et celles des avatars, toutes colonnes",
        "100 times the mean absolute difference over all pairs: Pearson's correlation, bias-corrected Cramér's V, "
        "correlation ratio.",
        "100 fois l'écart absolu moyen sur toutes les paires : corrélation de Pearson, V de Cramér sans biais, rapport "
        "de corrélation.",
    ),
    "range_coverage_mean": (
        "Range covered",
        "Étendue couverte",
        "share of the originals' range of numbers that avatars cover",
        "part de l'étendue des nombres des originaux que couvrent les avatars",
        "Mean over numeric columns. Avatars are means of people, so tails shrink.",
        "Moyenne sur les colonnes numériques. Les avatars sont des moyennes de personnes : les extrêmes se resserrent.",
    ),
    "pointwise_hellinger_mean": (
        "Distance of series, point by point",
        "Distance des séries, point par point",
        "distance between the values that series of originals and avatars have at the same moment; 0 is equal",
        "distance entre les valeurs des séries d'originaux et d'avatars au même moment ; 0 : égales",
        "Series are aligned on one grid of normalised time. Mean over variables and points of the Hellinger distance "
        "between the values at that point (10 bins), from 0 to 1. It does not see how values follow each other. "
        "With few people a part of it is chance, which an interval takes away: the value then stands at its upper "
        "end.",
        "Les séries sont alignées sur une même grille de temps normalisé. Moyenne, sur les variables et les points, de "
        "la distance de Hellinger entre les valeurs en ce point (10 classes), de 0 à 1. Elle ne voit pas comment les "
        "valeurs se suivent. Avec peu de personnes, une part en est due au hasard, qu'un intervalle retire : la valeur "
        "est alors à son extrémité haute.",
    ),
    "density_hellinger_mean": (
        "Distance of the values of series",
        "Distance des valeurs des séries",
        "distance between all values of series of originals and of avatars, whenever they occur; 0 is equal",
        "distance entre toutes les valeurs des séries d'originaux et d'avatars, à tout moment ; 0 : égales",
        "Mean over variables of the Hellinger distance between all values, pooled over people and time (10 bins and "
        "one for missing values), from 0 to 1.",
        "Moyenne, sur les variables, de la distance de Hellinger entre toutes les valeurs, personnes et moments "
        "confondus (10 classes et une pour les valeurs manquantes), de 0 à 1.",
    ),
    "category_coverage_mean": (
        "Categories covered",
        "Modalités couvertes",
        "share of the originals' categories that avatars have",
        "part des modalités des originaux que portent les avatars",
        "Mean over categorical columns of the share of modalities that some avatar has.",
        "Moyenne, sur les colonnes catégorielles, de la part des modalités qu'au moins un avatar porte.",
    ),
    "pmse_ratio": (
        "Propensity score ratio",
        "Ratio du score de propension",
        "how well a model tells avatars from originals; 1 is not at all",
        "capacité d'un modèle à distinguer avatars et originaux ; 1 : nullement",
        "Mean squared error of the propensity score of a logistic regression over its expectation for data of the same "
        "law. Avatars are paired with originals, so it may be below 1.",
        "Erreur quadratique moyenne du score de propension d'une régression logistique, rapportée à son espérance pour "
        "des données de même loi. Les avatars étant appariés aux originaux, elle peut être sous 1.",
    ),
    "utility_originals": (
        "Prediction learnt on originals",
        "Prédiction apprise sur les originaux",
        "quality of predicting the target for people when the model is learnt on other people",
        "qualité de prédiction de la cible de personnes par un modèle appris sur d'autres",
        "Share of right classes, or explained variance of a number, of a ridge regression over five folds.",
        "Part de classes justes, ou variance expliquée d'un nombre, d'une régression ridge sur cinq parties.",
    ),
    "utility_avatars": (
        "Prediction learnt on avatars",
        "Prédiction apprise sur les avatars",
        "quality of predicting the target for people when the model is learnt on avatars",
        "qualité de prédiction de la cible de personnes par un modèle appris sur les avatars",
        "The same model learnt on the avatars of the same people and judged on the same others.",
        "Le même modèle appris sur les avatars des mêmes personnes et jugé sur les mêmes autres.",
    ),
    "utility_loss": (
        "Prediction lost",
        "Prédiction perdue",
        "points of prediction quality lost by learning on avatars",
        "points de qualité de prédiction perdus en apprenant sur les avatars",
        "Prediction learnt on originals less prediction learnt on avatars; below 0 avatars are better.",
        "Prédiction apprise sur les originaux moins celle apprise sur les avatars ; sous 0, les avatars font mieux.",
    ),
}


def _texts() -> Iterator[tuple[str, MetricText]]:
    for name, (label, etiquette, meaning, sens, definition, calcul) in _WORDS.items():
        needs = name.startswith("membership") or name.endswith(("_risk", "_risk_5"))
        explained = (
            Text(f"{definition} {_CONTROL.en}", f"{calcul} {_CONTROL.fr}") if needs else Text(definition, calcul)
        )
        yield name, MetricText(Text(label, etiquette), Text(meaning, sens), explained)


MORE_TEXTS: Final[Mapping[str, MetricText]] = MappingProxyType(dict(_texts()))
