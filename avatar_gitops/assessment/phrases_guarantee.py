"""Words for the promise of differential privacy in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.text import Text

GUARANTEE_PHRASES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "guarantee": Text("Privacy budget", "Budget de confidentialité"),
        "guarantee.budget": Text(
            "epsilon {epsilon} of {declared} declared, delta {delta}; the sum of all measurements, composed by"
            " {library}",
            "epsilon {epsilon} sur {declared} déclaré, delta {delta} ; somme de toutes les mesures, composée par"
            " {library}",
        ),
        "guarantee.measure": Text("Measure of the loss", "Mesure de la perte"),
        "guarantee.pure": Text(
            "pure differential privacy; delta is the chance that a rare category is named",
            "confidentialité différentielle pure ; delta est la probabilité de nommer une catégorie rare",
        ),
        "guarantee.zcdp": Text(
            "zero-concentrated differential privacy, told as epsilon at this delta",
            "confidentialité différentielle concentrée, exprimée comme epsilon à ce delta",
        ),
        "guarantee.unit": Text("Unit and neighbouring tables", "Unité et tables voisines"),
        "guarantee.person": Text(
            "one person with at most {rows} rows; two tables are neighbours when all rows of one person are added or"
            " removed",
            "une personne avec au plus {rows} lignes ; deux tables sont voisines quand toutes les lignes d'une personne"
            " sont ajoutées ou retirées",
        ),
        "guarantee.person.one": Text(
            "one person with at most {rows} row; two tables are neighbours when the row of one person is added or"
            " removed",
            "une personne avec au plus {rows} ligne ; deux tables sont voisines quand la ligne d'une personne est"
            " ajoutée ou retirée",
        ),
        "guarantee.public": Text("Taken as public", "Supposé public"),
        "guarantee.learned": Text("Learned with a part of the budget", "Appris avec une partie du budget"),
        "guarantee.schema": Text("names and types of the columns", "noms et types des colonnes"),
        "guarantee.rows": Text("number of rows", "nombre de lignes"),
        "guarantee.bounds": Text("bounds", "bornes"),
        "guarantee.categories": Text("list of categories", "liste des catégories"),
        "guarantee.complete": Text("no missing values", "aucune valeur manquante"),
        "guarantee.limits": Text("What the promise does not cover", "Ce que la promesse ne couvre pas"),
        "guarantee.limits.text": Text(
            "the metrics and figures of this report are read off the real rows without noise and stay inside; the"
            " noise comes from the operating system, so no seed repeats the run; the size of the output is noisy"
            " unless it is public",
            "les mesures et figures de ce rapport sont lues sur les lignes réelles sans bruit et restent en interne ;"
            " le bruit vient du système d'exploitation, aucune graine ne répète donc l'exécution ; la taille du"
            " résultat est bruitée sauf si elle est publique",
        ),
    }
)
