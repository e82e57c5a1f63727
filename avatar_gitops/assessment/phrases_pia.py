"""Words of the privacy impact assessment in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.phrases import PHRASES
from avatar_gitops.assessment.phrases_risk import RISK_PHRASES
from avatar_gitops.assessment.text import Text

_OWN: Final[Mapping[str, Text]] = {
    "title": Text(
        "Privacy impact assessment: {set}", "Analyse d'impact relative à la protection des données (AIPD) : {set}"
    ),
    "subject": Text("Privacy impact assessment", "Analyse d'impact relative à la protection des données"),
    "status": Text(
        "Status: {status}. Every statement names its source: a field of the spec, a metric, a rule, a reference, or a "
        "person.",
        "Statut : {status}. Chaque élément nomme sa source : un champ de la spécification, une mesure, une règle, une "
        "référence ou une personne.",
    ),
    "made_from": Text(
        "Run of {date} · commit {commit} · spec {spec} · engine {engine}",
        "Exécution du {date} · commit {commit} · spécification {spec} · moteur {engine}",
    ),
    "unknown_statements": Text("Unknown statements: {fields}.", "Éléments inconnus : {fields}."),
    "not_anonymous": Text(
        "This document states a measured risk under stated assumptions. It does not state that the data are outside "
        "the scope of data protection law; that decision belongs to the controller.",
        "Ce document énonce un risque mesuré sous des hypothèses énoncées. Il n'énonce pas que les données sortent du "
        "champ du droit de la protection des données ; cette décision appartient au responsable de traitement.",
    ),
    # 1 context
    "h.context": Text("1 Context", "1 Contexte"),
    "h.processing": Text("1.1 Processing", "1.1 Traitement"),
    "h.tables": Text("1.2 Data", "1.2 Données"),
    "h.flow": Text("1.3 Data flow", "1.3 Circuit des données"),
    "field.purpose": Text("Purpose", "Finalité"),
    "field.owner": Text("Data owner", "Responsable des données"),
    "field.controller": Text("Controller", "Responsable de traitement"),
    "field.processor": Text("Processor", "Sous-traitant"),
    "field.data_type": Text("Data type", "Type de données"),
    "field.data_subject": Text("Data subjects", "Personnes concernées"),
    "field.sensitivity_level": Text("Sensitivity", "Sensibilité"),
    "field.data_recipient": Text("Recipients", "Destinataires"),
    "field.retention": Text("Retention of the avatars", "Conservation des avatars"),
    "field.retention_originals": Text(
        "Retention of the originals and of the unshuffled table",
        "Conservation des originaux et de la table non mélangée",
    ),
    "field.legal_basis": Text("Legal basis", "Base légale"),
    "field.information": Text("Information of people", "Information des personnes"),
    "field.rights": Text("Rights before anonymization", "Droits avant l'anonymisation"),
    "field.dpo": Text("Data protection officer", "Délégué à la protection des données"),
    "field.dpo_opinion": Text("Opinion of the data protection officer", "Avis du délégué à la protection des données"),
    "field.review_trigger": Text("Review trigger", "Déclencheur de révision"),
    "tables.summary": Text("Tables of the set", "Tables du jeu"),
    "context.summary": Text("Statements about the processing", "Éléments sur le traitement"),
    "field.retention_originals.alone": Text("Retention of the originals", "Conservation des originaux"),
    "flow.table": Text("Table {table}.", "Table {table}."),
    "flow.avatar": Text(
        "The engine ({engine}) reads the originals, removes the columns named in section 3, makes avatars from the "
        "originals that it uses, measures, then shuffles. The table before shuffling links each avatar to its person "
        "and stays as sensitive as the originals. Recipients get the shuffled table only.",
        "Le moteur ({engine}) lit les originaux, retire les colonnes nommées en section 3, fabrique des avatars à "
        "partir des originaux qu'il utilise, mesure, puis mélange. La table avant mélange relie chaque avatar à sa "
        "personne et reste aussi sensible que les originaux. Les destinataires ne reçoivent que la table mélangée.",
    ),
    "flow.each": Text("Each original that is used has one avatar.", "Chaque original utilisé a un avatar."),
    "flow.apart": Text(
        "A share of {share} of the originals is kept apart as a control and has no avatar.",
        "Une part de {share} des originaux est mise de côté comme contrôle et n'a pas d'avatar.",
    ),
    "flow.augmented": Text(
        "The table is augmented: a person can have several avatars.",
        "La table est augmentée : une personne peut avoir plusieurs avatars.",
    ),
    "flow.kept": Text(
        "The table is augmented and the real rows are kept: recipients get the originals with the avatars.",
        "La table est augmentée et les lignes réelles sont gardées : les destinataires reçoivent les originaux avec "
        "les avatars.",
    ),
    "flow.dp": Text(
        "The engine ({engine}) reads the originals, removes the columns named in section 3, adds noise to statistics "
        "of them, draws new rows from these statistics, and compares both. No new row belongs to a person, and no "
        "table links them. Recipients get the new rows only.",
        "Le moteur ({engine}) lit les originaux, retire les colonnes nommées en section 3, ajoute du bruit à des "
        "statistiques, en tire de nouvelles lignes et compare les deux. Aucune nouvelle ligne n'appartient à une "
        "personne et aucune table ne les relie. Les destinataires ne reçoivent que les nouvelles lignes.",
    ),
    "flow.none": Text(
        "The avatars were made elsewhere, in a way that is {unknown} to this document. The engine ({engine}) reads "
        "them beside the originals and measures; it makes and changes no row. Whoever made the avatars may hold a "
        "table that links them to people.",
        "Les avatars ont été faits ailleurs, par un circuit {unknown} de ce document. Le moteur ({engine}) les lit à "
        "côté des originaux et mesure ; il ne fabrique et ne change aucune ligne. Qui a fait les avatars détient "
        "peut-être une table qui les relie aux personnes.",
    ),
    # 2 principles
    "h.principles": Text("2 Fundamental principles", "2 Principes fondamentaux"),
    "principles.intro": Text(
        "Anonymizing personal data is itself a processing of personal data: these principles apply to it.",
        "Anonymiser des données personnelles est en soi un traitement de données personnelles : ces principes s'y "
        "appliquent.",
    ),
    "principles.summary": Text("Fundamental principles and how they are met", "Principes fondamentaux et leur respect"),
    "principle.lawfulness": Text("Lawfulness", "Licéité"),
    "principle.purpose": Text("Purpose limitation", "Limitation des finalités"),
    "principle.minimisation": Text("Minimization, {table}", "Minimisation, {table}"),
    "principle.minimisation.value": Text("columns dropped: {columns}", "colonnes supprimées : {columns}"),
    "principle.accuracy": Text("2.{number} Accuracy and utility, {table}", "2.{number} Exactitude et utilité, {table}"),
    "principle.storage": Text("Storage limitation", "Limitation de la conservation"),
    "principle.information": Text("Information of people", "Information des personnes"),
    "principle.rights": Text("Rights of people", "Droits des personnes"),
    # 3 technique
    "h.technique": Text("3 Technique and parameters", "3 Technique et paramètres"),
    "h.technique.table": Text("3.{number} Table {table}", "3.{number} Table {table}"),
    "technique.avatar": Text(
        "The avatar method projects the originals on a few axes, finds for each person the nearest other people there, "
        "and makes an avatar from their random weighted mean; the person is never one of its own neighbours. The "
        "number of neighbours is k (it is not k-anonymity) and the number of axes is ncp.",
        "La méthode avatar projette les originaux sur quelques axes, y cherche pour chaque personne les autres "
        "personnes les plus proches, et fabrique un avatar par leur moyenne pondérée au hasard ; la personne n'est "
        "jamais l'une de ses voisines. Le nombre de voisins est k (ce n'est pas du k-anonymat) et le nombre d'axes "
        "est ncp.",
    ),
    "technique.dp": Text(
        "A method with differential privacy adds noise to statistics of the originals and draws new rows from them; "
        "epsilon is the budget, a smaller one protects more.",
        "Une méthode de confidentialité différentielle ajoute du bruit à des statistiques des originaux et en tire de "
        "nouvelles lignes ; epsilon est le budget, un plus petit protège davantage.",
    ),
    "technique.none": Text(
        "The assessed avatars were made elsewhere: their technique and the order of their rows are {unknown} to this "
        "document.",
        "Les avatars évalués ont été faits ailleurs : leur technique et l'ordre de leurs lignes sont ici {unknown}.",
    ),
    "technique.excluded": Text(
        "Excluded columns hold real values put beside the avatar ({strategy}): {columns}.",
        "Les colonnes exclues portent des valeurs réelles placées à côté de l'avatar ({strategy}) : {columns}.",
    ),
    "parameters.summary": Text("Parameters of the table", "Paramètres de la table"),
}

_CLOSING: Final[Mapping[str, Text]] = {
    # 7 action plan and decision
    "h.decision": Text("7 Action plan, opinion and decision", "7 Plan d'action, avis et décision"),
    "h.actions": Text("7.2 Action plan", "7.2 Plan d'action"),
    "h.opinion": Text("7.3 Opinion and decision", "7.3 Avis et décision"),
    "actions.none": Text(
        "No action follows from the measurements and statements above.",
        "Aucune action ne découle des mesures et éléments ci-dessus.",
    ),
    "actions.summary": Text("Action plan", "Plan d'action"),
    "head.action": Text("Action", "Action"),
    "head.reason": Text("Follows from", "Découle de"),
    "head.responsible": Text("Responsible", "Responsable"),
    "head.due": Text("Due", "Échéance"),
    "action.state": Text("State: {fields}", "Préciser : {fields}"),
    "action.row_order": Text(
        "Table {table}: drop the excluded columns or use coordinate_similarity",
        "Table {table} : supprimer les colonnes exclues ou utiliser coordinate_similarity",
    ),
    "action.originals_kept": Text(
        "Table {table}: let the originals be anonymized too (should_anonymize_original_table)",
        "Table {table} : anonymiser aussi les originaux (should_anonymize_original_table)",
    ),
    "action.original_order": Text(
        "Table {table}: link by linear_sum_assignment instead of the original order",
        "Table {table} : lier par linear_sum_assignment au lieu de l'ordre des originaux",
    ),
    "action.untouched_column": Text(
        "Table {table}: drop or pseudonymize the untouched column",
        "Table {table} : supprimer ou pseudonymiser la colonne restée intacte",
    ),
    "action.direct_identifier": Text(
        "Table {table}: drop or pseudonymize {columns}", "Table {table} : supprimer ou pseudonymiser {columns}"
    ),
    "action.measure.singling_out": Text(
        "Table {table}: run the privacy metrics, or assess singling out by other means",
        "Table {table} : lancer les mesures de confidentialité, ou évaluer l'individualisation autrement",
    ),
    "action.measure.linkability": Text(
        "Table {table}: state known_variables and measure again, or assess linkability by other means",
        "Table {table} : indiquer known_variables et mesurer de nouveau, ou évaluer la corrélation autrement",
    ),
    "action.measure.inference": Text(
        "Table {table}: state known_variables and target and measure again, or assess inference by other means",
        "Table {table} : indiquer known_variables et target et mesurer de nouveau, ou évaluer l'inférence autrement",
    ),
    "action.measure.membership": Text(
        "Table {table}: measure with held-out people, or assess membership by other means",
        "Table {table} : mesurer avec des personnes mises de côté, ou évaluer l'appartenance autrement",
    ),
    "action.link": Text(
        "Table {table}: let whoever made the avatars confirm that each row stands beside that of its person, or assess "
        "{criteria} by other means",
        "Table {table} : faire confirmer par qui a fait les avatars que chaque ligne est en face de celle de sa "
        "personne, ou évaluer autrement : {criteria}",
    ),
    "action.link.cause": Text("order of the rows not checked", "ordre des lignes non vérifié"),
    "action.improve": Text(
        "Table {table}: change k, columns or recipients until {metric} meets its target, or justify",
        "Table {table} : changer k, les colonnes ou les destinataires jusqu'à ce que {metric} atteigne sa cible, ou "
        "justifier",
    ),
    "action.cause": Text("{value}, target {target}", "{value}, cible {target}"),
    "action.interval": Text(
        "Table {table}: confirm the metrics whose whole interval is not shown to meet the target",
        "Table {table} : confirmer les mesures dont tout l'intervalle n'atteint pas la cible de façon établie",
    ),
    "opinion.summary": Text("Opinion, decision and review", "Avis, décision et révision"),
    "field.decision": Text("Decision of the controller", "Décision du responsable de traitement"),
    "review.default": Text(
        "Beyond what is stated, review at a new release of the same source, when new external data or a new attack "
        "becomes known, and when recipients change.",
        "Au-delà de ce qui est énoncé, réviser à chaque nouvelle publication de la même source, quand de nouvelles "
        "données externes ou une nouvelle attaque sont connues, et quand les destinataires changent.",
    ),
    "signature.summary": Text("Signatures", "Signatures"),
    "head.role": Text("Role", "Rôle"),
    "head.name": Text("Name", "Nom"),
    "head.date": Text("Date", "Date"),
    "head.signature": Text("Signature", "Signature"),
    # 8 annexes
    "h.annex": Text("8 Annexes", "8 Annexes"),
    "h.annex.metrics": Text("8.1 Definitions of the metrics", "8.1 Définitions des mesures"),
    "h.annex.limits": Text("8.2 Limits", "8.2 Limites"),
    "h.annex.provenance": Text("8.4 Provenance", "8.4 Provenance"),
    "h.annex.references": Text("8.5 References", "8.5 Références"),
    "annex.metrics.summary": Text("Definitions of the metrics", "Définitions des mesures"),
    "annex.provenance.summary": Text("Provenance of the figures", "Provenance des chiffres"),
    "reference.wp29": Text(
        "Article 29 Working Party, Opinion 05/2014 on anonymisation techniques (WP216): singling out, linkability, "
        "inference.",
        "Groupe de l'article 29, avis 05/2014 sur les techniques d'anonymisation (WP216) : individualisation, "
        "corrélation, inférence.",
    ),
    "reference.gdpr": Text(
        "Regulation (EU) 2016/679 (GDPR): recital 26, articles 4, 9 and 35.",
        "Règlement (UE) 2016/679 (RGPD) : considérant 26, articles 4, 9 et 35.",
    ),
    "reference.avatar": Text(
        "Guillaudeux et al., Patient-centric synthetic data generation, no reason to risk re-identification in "
        "biomedical data analysis, npj Digital Medicine 6, 37 (2023).",
        "Guillaudeux et al., Patient-centric synthetic data generation, no reason to risk re-identification in "
        "biomedical data analysis, npj Digital Medicine 6, 37 (2023).",
    ),
    "reference.membership": Text(
        "Shokri et al., Membership inference attacks against machine learning models, IEEE S&P 2017.",
        "Shokri et al., Membership inference attacks against machine learning models, IEEE S&P 2017.",
    ),
    "reference.promise": Text(
        "Ponomareva et al., How to DP-fy ML, JAIR 77 (2023); Kairouz, Oh and Viswanath, The composition theorem for "
        "differential privacy, ICML 2015.",
        "Ponomareva et al., How to DP-fy ML, JAIR 77 (2023) ; Kairouz, Oh et Viswanath, The composition theorem for "
        "differential privacy, ICML 2015.",
    ),
    "reference.cnil": Text(
        "CNIL, PIA method, templates and knowledge bases (2018): scales and feared events.",
        "CNIL, méthode, modèles et bases de connaissances PIA (2018) : échelles et événements redoutés.",
    ),
}

PIA_PHRASES: Final[Mapping[str, Text]] = MappingProxyType({**PHRASES, **RISK_PHRASES, **_OWN, **_CLOSING})
