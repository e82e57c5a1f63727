"""Words of the risk analysis and of the limits, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.text import Text

RISK_PHRASES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        # 4 risk analysis
        "h.risks": Text("4 Risk analysis", "4 Analyse des risques"),
        "h.method": Text("4.1 Scales and severity", "4.1 Échelles et gravité"),
        "h.table_risk": Text("4.{number} Table {table}", "4.{number} Table {table}"),
        "risks.attacker": Text(
            "Worst case: the attacker holds the originals and the file that recipients get, and knows the method. The "
            "people most exposed are those who resemble nobody.",
            "Pire cas : l'attaquant détient les originaux et le fichier remis aux destinataires et connaît la méthode. "
            "Les personnes les plus exposées sont celles qui ne ressemblent à personne.",
        ),
        "scales.summary": Text("Scales of severity and likelihood", "Échelles de gravité et de vraisemblance"),
        "head.step": Text("Step", "Échelon"),
        "severity.derivation": Text(
            "Severity {value}: {base} for sensitivity {sensitivity} (source {source}), at least {floor} for data of "
            "type {type}, {bonus}.",
            "Gravité {value} : {base} pour la sensibilité {sensitivity} (source {source}), au moins {floor} pour des "
            "données de type {type}, {bonus}.",
        ),
        "severity.raised": Text(
            "+1 for people who are vulnerable here ({subjects})",
            "+1 pour des personnes vulnérables dans ce contexte ({subjects})",
        ),
        "severity.not_two": Text(
            "+0 although people are vulnerable here ({subjects}), as only a severity of 2 is raised",
            "+0 bien que les personnes soient vulnérables dans ce contexte ({subjects}), car seule une gravité de 2 "
            "est relevée",
        ),
        "severity.people_unknown": Text(
            "+0 for people ({subjects}): nobody stated who they are",
            "+0 pour les personnes ({subjects}) : nul n'a énoncé qui elles sont",
        ),
        "severity.not_vulnerable": Text(
            "+0 as people are not among those counted as vulnerable ({subjects})",
            "+0 car les personnes ne sont pas parmi celles comptées comme vulnérables ({subjects})",
        ),
        "exposure.derivation": Text(
            "Exposure {value}: recipients are {recipient} (source {source}). Unknown recipients count as the public.",
            "Exposition {value} : destinataires, {recipient} (source {source}). Des destinataires inconnus comptent "
            "comme le public.",
        ),
        "before.derivation": Text(
            "Before anonymization: vulnerability 4, likelihood {likelihood}, level {level}.",
            "Avant anonymisation : vulnérabilité 4, vraisemblance {likelihood}, niveau {level}.",
        ),
        "scenario.singling_out": Text(
            "Scenario: the attacker looks for the record of one person in the file, as the record nearest to that "
            "person, or by values that nobody else has.",
            "Scénario : l'attaquant cherche l'enregistrement d'une personne dans le fichier, comme le plus proche de "
            "cette personne, ou par des valeurs que nul autre ne porte.",
        ),
        "scenario.linkability": Text(
            "Scenario: the attacker holds a part of what concerns a person and uses the file to join it to another "
            "part or to a record.",
            "Scénario : l'attaquant détient une partie de ce qui concerne une personne et se sert du fichier pour la "
            "joindre à une autre partie ou à un enregistrement.",
        ),
        "scenario.inference": Text(
            "Scenario: the attacker knows some values of a person and uses the file to guess another one better than "
            "other data would allow.",
            "Scénario : l'attaquant connaît des valeurs d'une personne et se sert du fichier pour en deviner une autre "
            "mieux que d'autres données ne le permettraient.",
        ),
        "scenario.membership": Text(
            "Scenario: the attacker holds the values of a person and uses the file to tell whether this person was "
            "among the originals.",
            "Scénario : l'attaquant détient les valeurs d'une personne et se sert du fichier pour savoir si cette "
            "personne était parmi les originaux.",
        ),
        "control.holdout": Text(
            "People who were not used: those of a data file of their own, who were not anonymized.",
            "Personnes non utilisées : celles d'un fichier de données à part, qui n'ont pas été anonymisées.",
        ),
        "control.share": Text(
            "People who were not used: a random share of the rows, kept apart and not anonymized.",
            "Personnes non utilisées : une part aléatoire des lignes, mise à part et non anonymisée.",
        ),
        "control.shadow": Text(
            "Not measured on the released avatars: for these values other avatars were made in the same way from a "
            "random 80% of the rows, and the rest are the people who were not used.",
            "Pas mesuré sur les avatars diffusés : pour ces valeurs, d'autres avatars ont été faits de la même façon "
            "à partir de 80 % des lignes tirées au hasard, et le reste sont les personnes non utilisées.",
        ),
        "knows": Text("The measured attacker knows: {columns}.", "L'attaquant mesuré connaît : {columns}."),
        "knows.target": Text(
            "The measured attacker knows: {columns}; target: {target}.",
            "L'attaquant mesuré connaît : {columns} ; cible : {target}.",
        ),
        "criterion.summary": Text(
            "{criterion}: metrics, targets and findings", "{criterion} : mesures, cibles et constats"
        ),
        "not_measured": Text(
            "No attack of this criterion was measured: its vulnerability is at least 3.",
            "Aucune attaque de ce critère n'a été mesurée : sa vulnérabilité est d'au moins 3.",
        ),
        "not_measured.unchecked": Text(
            "No attack of this criterion was measured for certain: its vulnerability is at least 3.",
            "Aucune attaque de ce critère n'a été mesurée avec certitude : sa vulnérabilité est d'au moins 3.",
        ),
        "not_measured.membership": Text(
            "No attack with a control was measured: membership counts as not measured by attack, vulnerability at "
            "least 3, whatever the distances say.",
            "Aucune attaque avec contrôle n'a été mesurée : l'appartenance compte comme non mesurée par une attaque, "
            "vulnérabilité d'au moins 3, quoi que disent les distances.",
        ),
        "unchecked": Text(
            "The avatars were made elsewhere. {metrics}: these hold only if row i of the avatars belongs to row i of "
            "the originals, which nobody has checked. They can show a weakness but do not count as resisting.",
            "Les avatars ont été faits ailleurs. {metrics} : ces mesures ne valent que si la ligne i des avatars "
            "appartient à la ligne i des originaux, ce que personne n'a vérifié. Elles peuvent montrer une faiblesse "
            "mais ne comptent pas comme une résistance.",
        ),
        "worst_shown": Text(
            "Of each metric the worst value is shown, over the table alone and {views}; the technical report has all "
            "of them.",
            "De chaque mesure est montrée la pire valeur, sur la table seule et sur {views} ; le rapport technique les "
            "donne toutes.",
        ),
        "other_metrics": Text(
            "These metrics have a target but belong to no criterion of this document: they do not enter the level.",
            "Ces mesures ont une cible mais ne relèvent d'aucun critère de ce document : elles n'entrent pas dans le "
            "niveau.",
        ),
        "derivation": Text(
            "Vulnerability {vulnerability} ({reason}); exposure {exposure}; likelihood {likelihood}; severity "
            "{severity}; level {level}.",
            "Vulnérabilité {vulnerability} ({reason}) ; exposition {exposure} ; vraisemblance {likelihood} ; gravité "
            "{severity} ; niveau {level}.",
        ),
        "flagged": Text("Red flag: {flag}.", "Alerte : {flag}."),
        "verdicts.summary": Text("Residual risk per criterion", "Risque résiduel par critère"),
        # 5 feared events
        "h.events": Text("5 Feared events", "5 Événements redoutés"),
        "events.intro": Text(
            "The likelihood of the first three depends on the security of the originals, which this document does not "
            "measure: the controller states it.",
            "La vraisemblance des trois premiers dépend de la sécurité des originaux, que ce document ne mesure pas : "
            "le responsable de traitement l'énonce.",
        ),
        "events.summary": Text("Feared events", "Événements redoutés"),
        "head.event": Text("Feared event", "Événement redouté"),
        "head.asset": Text("Asset", "Bien"),
        "event.access": Text("Illegitimate access", "Accès illégitime"),
        "event.change": Text("Unwanted change", "Modification non désirée"),
        "event.loss": Text("Disappearance", "Disparition"),
        "event.reidentification": Text("Re-identification", "Ré-identification"),
        "asset.originals": Text("originals and unshuffled table", "originaux et table non mélangée"),
        "asset.originals.alone": Text("originals", "originaux"),
        "asset.avatars": Text("file that recipients get", "fichier remis aux destinataires"),
        "event.security": Text("controller's security measures", "mesures de sécurité du responsable"),
        "event.section4": Text("section 4", "section 4"),
        # 6 matrix
        "h.matrix": Text("6 Risk matrix", "6 Matrice des risques"),
        "matrix.summary": Text(
            "Level of risk for each severity and likelihood, with the place of the originals and of each table",
            "Niveau de risque pour chaque gravité et vraisemblance, avec la place des originaux et de chaque table",
        ),
        "matrix.corner": Text("Severity \\ Likelihood", "Gravité \\ Vraisemblance"),
        "matrix.before": Text("before", "avant"),
        "matrix.after": Text("after: {table}", "après : {table}"),
        "matrix.alt": Text(
            "Risk matrix. Severity {severity}. Likelihood: {places}.",
            "Matrice des risques. Gravité {severity}. Vraisemblance : {places}.",
        ),
        "matrix.caption": Text(
            "Before: the originals in the hands of the same recipients. After: the worst criterion of each table.",
            "Avant : les originaux entre les mains des mêmes destinataires. Après : le pire critère de chaque table.",
        ),
        # limits
        "limit.tested": Text(
            "Metrics test stated attacks with stated knowledge on these data. Passing all of them is not a guarantee "
            "against other attacks.",
            "Les mesures testent des attaques énoncées, avec des connaissances énoncées, sur ces données. Les réussir "
            "toutes n'est pas une garantie contre d'autres attaques.",
        ),
        "limit.own": Text(
            "Hidden rate and local cloaking look at each person's own avatar; they do not see an avatar that is close "
            "to another person of the table.",
            "Le taux de dissimulation et le camouflage local regardent l'avatar de chaque personne ; ils ne voient pas "
            "un avatar proche d'une autre personne de la table.",
        ),
        "limit.rare": Text(
            "Rare categories and isolated people are the most exposed; the presence of a category that one person "
            "holds proves that this person was used.",
            "Les catégories rares et les personnes isolées sont les plus exposées ; la présence d'une catégorie portée "
            "par une seule personne prouve que cette personne a été utilisée.",
        ),
        "limit.repeat": Text(
            "Several releases of the same source can be averaged and are weaker than one; the number of releases must "
            "be limited.",
            "Plusieurs publications de la même source peuvent être moyennées et protègent moins qu'une seule ; leur "
            "nombre doit être limité.",
        ),
        "limit.small": Text(
            "Under a few hundred rows the intervals are wide: read the pessimistic end.",
            "Sous quelques centaines de lignes, les intervalles sont larges : lire l'extrémité pessimiste.",
        ),
        "limit.utility": Text(
            "Extremes and variances shrink, and logical rules between columns are not guaranteed.",
            "Les extrêmes et les variances se réduisent, et les règles logiques entre colonnes ne sont pas garanties.",
        ),
        "limit.noise": Text(
            "Noise weighs most on small groups and rare categories, and logical rules between columns are not "
            "guaranteed.",
            "Le bruit pèse surtout sur les petits groupes et les catégories rares, et les règles logiques entre "
            "colonnes ne sont pas garanties.",
        ),
        "limit.secret": Text(
            "The seed and the unshuffled table are secrets: with them avatars can be traced to people.",
            "La graine et la table non mélangée sont des secrets : elles permettent de relier des avatars à des "
            "personnes.",
        ),
    }
)

LIMITS: Final = tuple(key for key in RISK_PHRASES if key.startswith("limit."))
LIMITS_OF: Final[Mapping[str, bool]] = MappingProxyType(
    {"limit.own": False, "limit.rare": False, "limit.utility": False, "limit.secret": False, "limit.noise": True}
)
"""Limits that hold only with (True) or only without (False) differential privacy."""
