"""What statements rest on, and the rules of the documents, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.text import Text

SOURCE_PHRASES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "source": Text("Source:", "Source :"),
        "source.rule": Text("rules of this document (annex)", "règles de ce document (annexe)"),
        "source.section4": Text("section 4", "section 4"),
        "source.metrics": Text("metrics of the run", "mesures de l'exécution"),
        "source.spec": Text("fields of the spec", "champs de la spécification"),
        "source.signatures": Text("recorded signatures (section 7)", "signatures enregistrées (section 7)"),
        "source.engine": Text("engine {engine}", "moteur {engine}"),
        "source.run": Text("record of the run", "enregistrement de l'exécution"),
        "source.promise": Text("composition of the measurements by {library}", "composition des mesures par {library}"),
        "source.wp29": Text("Opinion 05/2014 (WP216)", "avis 05/2014 (WP216)"),
        "source.gdpr26": Text("GDPR, recital 26", "RGPD, considérant 26"),
        "source.cnil": Text("CNIL, PIA knowledge bases (2018)", "CNIL, bases de connaissances PIA (2018)"),
        "source.avatar": Text(
            "Guillaudeux et al., npj Digital Medicine 6, 37 (2023)",
            "Guillaudeux et al., npj Digital Medicine 6, 37 (2023)",
        ),
        "source.dp": Text(
            "Dwork and Roth, The Algorithmic Foundations of Differential Privacy (2014)",
            "Dwork et Roth, The Algorithmic Foundations of Differential Privacy (2014)",
        ),
        "source.membership": Text("Shokri et al., IEEE S&P 2017", "Shokri et al., IEEE S&P 2017"),
        "source.reference": Text("the publications named", "les publications citées"),
        "source.person": Text("the people named", "les personnes nommées"),
        # rules of the documents
        "h.annex.rules": Text("8.3 Rules of this document", "8.3 Règles de ce document"),
        "rule.worst": Text(
            "The worst metric decides on a criterion, the worst criterion on a table, the worst table on the set. A "
            "gate reads the worst value over all tables and over what their links add.",
            "La pire mesure décide d'un critère, le pire critère d'une table, la pire table du jeu. Un seuil lit la "
            "pire valeur sur toutes les tables et sur ce que leurs liens ajoutent.",
        ),
        "rule.target": Text(
            "A target marked default is the usual one for the recipient, which nobody chose for this set; the annex of "
            "the metrics says where others come from.",
            "Une cible marquée par défaut est la cible usuelle pour le destinataire, que personne n'a choisie pour ce "
            "jeu ; l'annexe des mesures dit d'où viennent les autres.",
        ),
        "rule.vulnerability": Text(
            "Vulnerability is 1 when every target is met by the whole interval, 2 when only the value meets it or "
            "misses by at most 10%, 3 beyond, 4 beyond 50% or with a red flag. What was not measured counts as at "
            "least 3.",
            "La vulnérabilité est de 1 quand chaque cible est atteinte par tout l'intervalle, de 2 quand seule la "
            "valeur l'atteint ou la manque de 10 % au plus, de 3 au-delà, de 4 au-delà de 50 % ou avec une alerte. Ce "
            "qui n'a pas été mesuré compte pour au moins 3.",
        ),
        "rule.membership": Text(
            "Membership is measured only by an attack with people who were not used as a control. Distances between "
            "avatars and originals alone cannot tell a member from anybody else: they never count as resisting.",
            "L'appartenance n'est mesurée que par une attaque avec, pour contrôle, des personnes qui n'ont pas servi. "
            "Les distances entre avatars et originaux ne distinguent pas à elles seules un membre d'une autre "
            "personne : elles ne comptent jamais comme une résistance.",
        ),
        "rule.link": Text(
            "Metrics of each person's own avatar count as resisting only where this run made the avatars. Of avatars "
            "that were made elsewhere nobody has checked that row i belongs to row i of the originals: in a random "
            "order everybody looks hidden.",
            "Les mesures qui portent sur l'avatar de chaque personne ne comptent comme une résistance que si cette "
            "exécution a fait les avatars. Pour des avatars faits ailleurs, personne n'a vérifié que la ligne i "
            "appartient à la ligne i des originaux : dans un ordre au hasard, chacun paraît dissimulé.",
        ),
        "rule.promise": Text(
            "For differential privacy the promised epsilon stands in the place of a measured vulnerability: 1 up to "
            "epsilon 1, 2 up to 5, 3 up to 10, 4 beyond. The bands 1 and 10 are those of Ponomareva et al., How to "
            "DP-fy ML, JAIR 77 (2023); above 5 the OpenDP library warns. A promise bounds a risk, it "
            "never makes it zero.",
            "Pour la confidentialité différentielle, l'epsilon promis tient lieu de vulnérabilité mesurée : 1 jusqu'à "
            "epsilon 1, 2 jusqu'à 5, 3 jusqu'à 10, 4 au-delà. Les bornes 1 et 10 sont celles de Ponomareva et al., How "
            "to DP-fy ML, JAIR 77 (2023) ; au-delà de 5, la bibliothèque OpenDP avertit. Une promesse "
            "borne un risque, elle ne l'annule jamais.",
        ),
        "rule.severity": Text(
            "Severity starts from the stated sensitivity: 1 for negligible or very low, 2 for low or medium, 3 for "
            "high, 4 for very high or unknown. It is at least 3 for health data and at least 2 for data of finance, "
            "insurance, human resources, mobility and education. Where it is then 2 and the people are patients, "
            "employees or students, who are vulnerable in context, it becomes 3.",
            "La gravité part de la sensibilité énoncée : 1 pour négligeable ou très faible, 2 pour faible ou moyenne, "
            "3 pour élevée, 4 pour très élevée ou inconnue. Elle est d'au moins 3 pour des données de santé et d'au "
            "moins 2 pour des données de finance, assurance, ressources humaines, mobilité et éducation. Là où elle "
            "est alors de 2 et où les personnes sont des patients, des employés ou des élèves et étudiants, "
            "vulnérables dans ce contexte, elle devient 3.",
        ),
        "rule.exposure": Text(
            "Exposure is −1 for recipients inside the organization or a trusted third party, 0 for a third party under "
            "contract or a recipient outside the European Union, +1 for the public (open data) or unknown recipients.",
            "L'exposition est de −1 pour des destinataires en interne ou un tiers de confiance, 0 pour un tiers lié "
            "par contrat ou un destinataire hors Union européenne, +1 pour le public (données ouvertes) ou des "
            "destinataires inconnus.",
        ),
        "rule.level": Text(
            "Likelihood is vulnerability plus exposure, between 1 and 4. The level follows from likelihood plus "
            "severity: low up to 3, moderate up to 5, high at 6, very high from 7 on; with severity 4 at least high "
            "from likelihood 2 on.",
            "La vraisemblance est la vulnérabilité plus l'exposition, entre 1 et 4. Le niveau découle de la "
            "vraisemblance plus la gravité : faible jusqu'à 3, modéré jusqu'à 5, élevé à 6, très élevé dès 7 ; avec "
            "une gravité de 4, au moins élevé dès une vraisemblance de 2.",
        ),
        "rule.unknown": Text(
            "What nobody stated stays unknown. Unknown recipients and sensitivity count as the strictest ones; an "
            "unknown type of data or unknown people raise nothing.",
            "Ce que personne n'a énoncé reste inconnu. Des destinataires ou une sensibilité inconnus comptent comme "
            "les plus stricts ; un type de données inconnu ou des personnes inconnues ne relèvent rien.",
        ),
        # gates, approvals, signatures
        "h.gates": Text("7.1 Gates and approvals", "7.1 Seuils et approbations"),
        "gates.summary": Text("Gates of the run", "Seuils de l'exécution"),
        "gates.none": Text("The spec sets no gate.", "La spécification ne fixe aucun seuil."),
        "gates.unknown": Text(
            "Gates: {unknown}. This document was made where only the documents of the run are known.",
            "Seuils : {unknown}. Ce document a été fait là où seuls les documents de l'exécution sont connus.",
        ),
        "head.gate": Text("Gate", "Seuil"),
        "head.wanted": Text("Wanted", "Attendu"),
        "head.worst": Text("Worst value", "Pire valeur"),
        "head.verdict": Text("Verdict", "Verdict"),
        "gate.passed": Text("passed", "tenu"),
        "gate.failed": Text("not passed", "non tenu"),
        "approval": Text(
            "Plan applied: {plan}. Approved by: {people}.", "Plan appliqué : {plan}. Approuvé par : {people}."
        ),
        "approval.standing": Text(
            "Waivers in force: {waivers}. Made weaker by this plan: {weaker}.",
            "Dérogations en vigueur : {waivers}. Affaibli par ce plan : {weaker}.",
        ),
        "nobody": Text("nobody on record", "personne d'enregistré"),
        "h.signatures": Text("7.4 Signatures", "7.4 Signatures"),
        "signatures.bound": Text(
            "A signature holds for the statements with digest {digest}. When a statement changes, it has to be signed "
            "again.",
            "Une signature vaut pour les éléments dont l'empreinte est {digest}. Quand un élément change, il faut "
            "signer de nouveau.",
        ),
        "signed.approved": Text("approved", "approuvé"),
        "signed.refused": Text("refused", "refusé"),
        "signed.outdated": Text(
            "{decision}, but other statements: to sign again",
            "{decision}, mais d'autres éléments : à signer de nouveau",
        ),
        "signed.note": Text("{decision}: {note}", "{decision} : {note}"),
        "signed.by": Text("{decision} ({person}, {date})", "{decision} ({person}, {date})"),
        "role.owner": Text("Data owner", "Responsable des données"),
        "role.controller": Text("Controller", "Responsable de traitement"),
        "role.dpo": Text("Data protection officer", "Délégué à la protection des données"),
        "status.signed": Text("signed", "signée"),
        "status.to_sign": Text("to be signed", "à signer"),
        "status.sign_again": Text("to be signed again", "à signer de nouveau"),
        "status.refused": Text("refused", "refusée"),
        # differential privacy in the risk analysis
        "h.promise": Text("Differential privacy", "Confidentialité différentielle"),
        "not_attacked": Text("not measured by attack", "non mesuré par une attaque"),
        "promised": Text(
            "promised by differential privacy, epsilon {epsilon}",
            "promis par la confidentialité différentielle, epsilon {epsilon}",
        ),
        "promise.stands": Text(
            "The guarantee of differential privacy stands in the place of a measured vulnerability: epsilon {epsilon}, "
            "delta {delta}. Whatever an attacker knows, a guess whether one person took part {guess} of even cases. "
            "That is a bound, not the absence of risk. Metrics of privacy below only inform.",
            "La garantie de confidentialité différentielle tient lieu de vulnérabilité mesurée : epsilon {epsilon}, "
            "delta {delta}. Quoi que sache un attaquant, deviner si une personne a participé {guess} des cas "
            "équilibrés. C'est une borne, pas l'absence de risque. Les mesures de confidentialité ci-dessous ne font "
            "qu'informer.",
        ),
        "promise.bounded": Text("is right in at most {share}", "est juste dans au plus {share}"),
        "promise.open": Text("may be right in more than {share}", "peut être juste dans plus de {share}"),
        "promise.inference": Text(
            "What the file teaches about people in general, whether they took part or not, is not bounded by it.",
            "Ce que le fichier apprend sur les personnes en général, qu'elles aient participé ou non, n'est pas borné.",
        ),
    }
)

RULES: Final = tuple(key for key in SOURCE_PHRASES if key.startswith("rule."))
