"""Words that both documents use, in both languages: scales, criteria, enumerations, findings, table heads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.phrases_guarantee import GUARANTEE_PHRASES
from avatar_gitops.assessment.phrases_sources import SOURCE_PHRASES
from avatar_gitops.assessment.text import Text

PHRASES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        # words of every document
        "unknown": Text("unknown", "inconnu"),
        "none": Text("none", "aucun"),
        "none.feminine": Text("none", "aucune"),
        "yes": Text("yes", "oui"),
        "no": Text("no", "non"),
        "page": Text("page", "page"),
        "head.metric": Text("Metric", "Mesure"),
        "head.value": Text("Value", "Valeur"),
        "head.interval": Text("95% interval", "Intervalle à 95 %"),
        "head.target": Text("Target", "Cible"),
        "head.finding": Text("Finding", "Constat"),
        "head.meaning": Text("Meaning", "Signification"),
        "head.source": Text("Source", "Source"),
        "head.statement": Text("Statement", "Élément"),
        "head.parameter": Text("Parameter", "Paramètre"),
        "head.table": Text("Table", "Table"),
        "head.rows": Text("People or rows", "Personnes ou lignes"),
        "head.columns": Text("Columns", "Colonnes"),
        "head.individual": Text("One row per person", "Une ligne par personne"),
        "head.digest": Text("Input digest", "Empreinte de l'entrée"),
        "head.criterion": Text("Criterion", "Critère"),
        "head.vulnerability": Text("Vulnerability", "Vulnérabilité"),
        "head.exposure": Text("Exposure", "Exposition"),
        "head.likelihood": Text("Likelihood", "Vraisemblance"),
        "head.severity": Text("Severity", "Gravité"),
        "head.level": Text("Level", "Niveau"),
        "head.definition": Text("Definition and limit", "Définition et limite"),
        "head.component": Text("Component", "Composant"),
        # scales of the CNIL knowledge base
        "severity.1": Text("negligible", "négligeable"),
        "severity.2": Text("limited", "limitée"),
        "severity.3": Text("significant", "importante"),
        "severity.4": Text("maximum", "maximale"),
        "likelihood.1": Text("negligible", "négligeable"),
        "likelihood.2": Text("limited", "limitée"),
        "likelihood.3": Text("significant", "importante"),
        "likelihood.4": Text("maximum", "maximale"),
        "severity.1.meaning": Text(
            "a nuisance that people overcome without difficulty", "une gêne surmontée sans difficulté"
        ),
        "severity.2.meaning": Text(
            "significant inconvenience, overcome despite some difficulty",
            "des désagréments significatifs, surmontés malgré quelques difficultés",
        ),
        "severity.3.meaning": Text(
            "serious consequences, overcome with real difficulty",
            "des conséquences graves, surmontées avec de réelles difficultés",
        ),
        "severity.4.meaning": Text(
            "significant or irreversible consequences, possibly not overcome",
            "des conséquences majeures ou irréversibles, peut-être insurmontables",
        ),
        "likelihood.1.meaning": Text(
            "it does not seem possible for the sources considered", "ne semble pas possible pour les sources retenues"
        ),
        "likelihood.2.meaning": Text("it seems difficult", "semble difficile"),
        "likelihood.3.meaning": Text("it seems possible", "semble possible"),
        "likelihood.4.meaning": Text("it seems extremely easy", "semble extrêmement facile"),
        "level.low": Text("low", "faible"),
        "level.moderate": Text("moderate", "modéré"),
        "level.high": Text("high", "élevé"),
        "level.very_high": Text("very high", "très élevé"),
        # conclusion
        "conclusion.compatible": Text("compatible", "compatible"),
        "conclusion.with_measures": Text("compatible, with measures,", "compatible, avec des mesures,"),
        "conclusion.not_compatible": Text("not compatible", "non compatible"),
        "conclusion": Text(
            "The measured residual risk ({level}) is {conclusion} with the intended use: {use}{stop} "
            "Recipients: {recipient}.",
            "Le risque résiduel mesuré ({level}) est {conclusion} avec l'usage prévu : {use}{stop} "
            "Destinataires : {recipient}.",
        ),
        # criteria
        "criterion.singling_out": Text("Singling out", "Individualisation"),
        "criterion.linkability": Text("Linkability", "Corrélation"),
        "criterion.inference": Text("Inference", "Inférence"),
        "criterion.membership": Text("Membership", "Appartenance"),
        "criterion.utility": Text("Utility", "Utilité"),
        "criterion.other": Text("Other", "Autre"),
        # enumerations of the platform
        "recipient.unknown": Text("unknown", "inconnus"),
        "recipient.opendata": Text("the public (open data)", "le public (données ouvertes)"),
        "recipient.contractual_thirdparty": Text("a third party under contract", "un tiers lié par contrat"),
        "recipient.internal": Text("inside the organization", "en interne"),
        "recipient.outside_eu": Text("a recipient outside the European Union", "un destinataire hors Union européenne"),
        "recipient.trusted_thirdparty": Text("a trusted third party", "un tiers de confiance"),
        "type.unknown": Text("unknown", "inconnu"),
        "type.health": Text("health", "santé"),
        "type.hr": Text("human resources", "ressources humaines"),
        "type.mobility": Text("mobility", "mobilité"),
        "type.insurance": Text("insurance", "assurance"),
        "type.finance": Text("finance", "finance"),
        "type.education": Text("education", "éducation"),
        "subject.unknown": Text("unknown", "inconnues"),
        "subject.patients": Text("patients", "patients"),
        "subject.employees": Text("employees", "employés"),
        "subject.clients": Text("clients", "clients"),
        "subject.users": Text("users", "usagers"),
        "subject.students": Text("students", "élèves et étudiants"),
        "sensitivity.Undefined": Text("unknown", "inconnue"),
        "sensitivity.Very High": Text("very high", "très élevée"),
        "sensitivity.High": Text("high", "élevée"),
        "sensitivity.Medium": Text("medium", "moyenne"),
        "sensitivity.Low": Text("low", "faible"),
        "sensitivity.Very Low": Text("very low", "très faible"),
        "sensitivity.Negligible": Text("negligible", "négligeable"),
        # sizes
        "bucket.<100": Text("<100", "moins de 100"),
        "bucket.100-1k": Text("100-1k", "100 à 1\u202f000"),
        "bucket.1k-10k": Text("1k-10k", "1\u202f000 à 10\u202f000"),
        "bucket.10k-100k": Text("10k-100k", "10\u202f000 à 100\u202f000"),
        "bucket.100k-1M": Text("100k-1M", "100\u202f000 à 1 million"),
        "bucket.>1M": Text(">1M", "plus de 1 million"),
        # findings and flags
        "finding.met": Text("target met, pessimistic end of the interval too", "cible atteinte, intervalle compris"),
        "finding.met_exact": Text("target met", "cible atteinte"),
        "finding.interval_unknown": Text("target met, interval unknown", "cible atteinte, intervalle inconnu"),
        "finding.interval_misses": Text(
            "target met, but not by the whole interval", "cible atteinte, mais pas par tout l'intervalle"
        ),
        "finding.slight": Text("target missed by at most 10%", "cible manquée de 10 % au plus"),
        "finding.short": Text("target missed by more than 10%", "cible manquée de plus de 10 %"),
        "finding.far": Text("target missed by more than 50%", "cible manquée de plus de 50 %"),
        "finding.not_measured": Text("not measured", "non mesuré"),
        "finding.none": Text("for information", "pour information"),
        "exact": Text("exact", "exact"),
        "by_hand": Text("to be filled in by hand", "à compléter à la main"),
        "default_target": Text("default", "par défaut"),
        "flag.row_order": Text(
            "excluded columns were put back in the order of the originals, which links each avatar to its person",
            "des colonnes exclues ont été remises dans l'ordre des originaux, ce qui relie chaque avatar à sa personne",
        ),
        "flag.originals_kept": Text(
            "the real rows are kept in the result beside the avatars",
            "les lignes réelles restent dans le résultat à côté des avatars",
        ),
        "flag.original_order": Text(
            "a link keeps the rows of each person together with the avatar of that person",
            "un lien garde les lignes de chaque personne avec l'avatar de cette personne",
        ),
        "flag.untouched_column": Text(
            "a column keeps the value of the original in every avatar (column direct match protection is 0)",
            "une colonne garde la valeur de l'original dans tous les avatars (protection par colonne à 0)",
        ),
        "flag.direct_identifier": Text(
            "the output holds columns that identify people directly",
            "le résultat contient des colonnes qui identifient directement des personnes",
        ),
        # scopes of multi-table blocks
        "scope.standalone": Text("table alone", "table seule"),
        "scope.to_top_enriched": Text("with what its child tables add", "avec l'apport des tables filles"),
        "scope.to_bottom_information_propagated": Text(
            "with what its parent tables add", "avec l'apport des tables parentes"
        ),
        "scope.to_bottom_id_propagated": Text(
            "to find a person by any of their rows", "retrouver une personne par l'une de ses lignes"
        ),
        "scope.full_enriched": Text(
            "to find a person by a row with all that the parent tables add",
            "retrouver une personne par une ligne avec tout l'apport des tables parentes",
        ),
        "scope.barycentered": Text("mean of each person's avatars", "moyenne des avatars de chaque personne"),
        "scope.class_balancing_barycenter": Text(
            "mean of the avatars of people who have several",
            "moyenne des avatars des personnes qui en ont plusieurs",
        ),
        "views.links": Text("what its links add", "ce que ses liens ajoutent"),
        "views.means": Text("the mean of each person's avatars", "la moyenne des avatars de chaque personne"),
        "views.both": Text(
            "what its links add and the mean of each person's avatars",
            "ce que ses liens ajoutent et sur la moyenne des avatars de chaque personne",
        ),
        # parameters
        "parameter.method": Text("Method", "Méthode"),
        "method.avatar": Text("avatar", "avatar"),
        "method.open_dp": Text("differential privacy (open_dp)", "confidentialité différentielle (open_dp)"),
        "method.fast_dp": Text("differential privacy (fast_dp)", "confidentialité différentielle (fast_dp)"),
        "method.none": Text(
            "none here, existing files were measured", "aucune ici, des fichiers existants ont été mesurés"
        ),
        **GUARANTEE_PHRASES,
        **SOURCE_PHRASES,
        "parameter.links": Text("Links to child tables", "Liens vers les tables filles"),
        "parameter.dropped": Text("Columns dropped", "Colonnes supprimées"),
        "parameter.pseudonymized": Text("Columns pseudonymized", "Colonnes pseudonymisées"),
        "parameter.excluded": Text("Columns excluded from the model", "Colonnes exclues du modèle"),
        "parameter.groups": Text("Columns of compared groups", "Colonnes des groupes comparés"),
        "parameter.known_variables": Text("Variables known to the attacker", "Variables connues de l'attaquant"),
        "parameter.inference_target": Text("Target of the inference", "Cible de l'inférence"),
        "provenance.engine": Text("Engine", "Moteur"),
        "provenance.seed": Text("Seed recorded", "Graine enregistrée"),
        "provenance.spec": Text("Spec digest", "Empreinte de la spécification"),
        "provenance.input": Text("Input digest, {table}", "Empreinte de l'entrée, {table}"),
        "provenance.commit": Text("Commit", "Commit"),
        "provenance.job": Text("Job", "Tâche"),
        "provenance.date": Text("Date of the run", "Date de l'exécution"),
        "provenance.version": Text("Version of {component}", "Version de {component}"),
    }
)
