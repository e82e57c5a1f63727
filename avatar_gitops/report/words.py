"""Words of the run summary and of the index, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from avatar_gitops.assessment.text import Text

Language = Literal["en", "fr"]

WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "published": Text("Published", "Publié"),
        "not_published": Text("Not published", "Non publié"),
        "failed": Text("Failed", "Échoué"),
        "running": Text("Running", "En cours"),
        "deleted": Text("Deleted", "Supprimé"),
        "gates_passed": Text("all {total} gates passed", "les {total} seuils sont tenus"),
        "gate_passed": Text("the only gate passed", "le seul seuil est tenu"),
        "gates_failed": Text("{failed} of {total} gates failed", "seuils non tenus : {failed} sur {total}"),
        "gates_none": Text("no gate is set", "aucun seuil n'est fixé"),
        "weaker_than_before": Text(
            "weaker than the previous run ({fields})", "plus faible que l'exécution précédente ({fields})"
        ),
        "approved_by": Text(", approved by {names}", ", approuvé par {names}"),
        "promise": Text(
            "differential privacy of {table}: epsilon {epsilon}, delta {delta}, rows of a person: {rows} at most",
            "confidentialité différentielle de {table} : epsilon {epsilon}, delta {delta}, lignes d'une personne :"
            " {rows} au plus",
        ),
        "unchecked": Text(
            "avatars of {table} made elsewhere: metrics of each person's own avatar ({metrics}) hold only if row i of"
            " the avatars belongs to row i of the originals, which nobody has checked",
            "avatars de {table} faits ailleurs : les mesures sur l'avatar de chaque personne ({metrics}) ne valent que"
            " si la ligne i des avatars appartient à la ligne i des originaux, ce que personne n'a vérifié",
        ),
        "waived_rules": Text("waived: {rules}", "dérogations : {rules}"),
        "head.gate": Text("Gate", "Seuil"),
        "head.table": Text("Table", "Table"),
        "head.wanted": Text("Wanted", "Attendu"),
        "head.value": Text("Value", "Valeur"),
        "head.verdict": Text("Verdict", "Verdict"),
        "head.metric": Text("Metric", "Mesure"),
        "head.interval": Text("95% interval", "Intervalle à 95 %"),
        "head.bound": Text("Gate or target", "Seuil ou cible"),
        "head.meaning": Text("Meaning", "Signification"),
        "head.set": Text("Set", "Jeu"),
        "head.state": Text("State", "État"),
        "head.gates": Text("Gates", "Seuils"),
        "head.files": Text("Documents", "Documents"),
        "every_table": Text("every table", "toutes les tables"),
        "verdict.passed": Text("✔ passed", "✔ tenu"),
        "verdict.failed": Text("✘ failed", "✘ non tenu"),
        "verdict.not_measured": Text("✘ not measured", "✘ non mesuré"),
        "not_measured": Text("not measured", "non mesuré"),
        "exact": Text("exact", "exact"),
        "unknown": Text("unknown", "inconnu"),
        "gate": Text("gate", "seuil"),
        "target": Text("target", "cible"),
        "default_target": Text("default target", "cible par défaut"),
        "title.gates": Text("Gates", "Seuils"),
        "title.metrics": Text("Metrics of table {table}", "Mesures de la table {table}"),
        "risk": Text(
            "Measured residual risk ({level}): {conclusion} with the intended use.",
            "Risque résiduel mesuré ({level}) : {conclusion} avec l'usage prévu.",
        ),
        "documents": Text("Documents:", "Documents :"),
        "document.pia": Text("PIA", "AIPD"),
        "document.metrics": Text("Metrics", "Mesures"),
        "made_from": Text("Made from:", "Fait à partir de :"),
        "spec": Text("spec", "spécification"),
        "input": Text("input", "entrée"),
        "input_keyed": Text("input (keyed)", "entrée (à clé)"),
        "engine": Text("engine", "moteur"),
        "seed": Text("seed", "graine"),
        "to_check": Text("To check:", "Pour vérifier :"),
        "to_repeat": Text("to repeat:", "pour refaire :"),
        "next": Text("Next:", "Suite :"),
        "title.index": Text("Anonymized sets", "Jeux anonymisés"),
        "count.one": Text("1 set", "1 jeu"),
        "count.many": Text("{count} sets", "{count} jeux"),
        "count.state": Text("{state}: {count}", "{state} : {count}"),
        "index.empty": Text("There is no set yet.", "Il n'y a pas encore de jeu."),
        "title.siblings": Text("The sets of {path}", "Les jeux de {path}"),
        "head.front": Text("Pareto front", "Front de Pareto"),
        "pareto.best": Text("yes", "oui"),
        "pareto.about": Text(
            "On the front is what no other set beats in privacy and utility at once; among the others there is nothing "
            "to choose. Values are the worst over tables and links.",
            "Sur le front se trouve ce qu'aucun autre jeu ne bat à la fois en confidentialité et en utilité ; parmi "
            "les autres il n'y a rien à choisir. Les valeurs sont les pires sur les tables et les liens.",
        ),
        "pareto.alt": Text(
            "Privacy against utility of {count} sets; on the Pareto front: {best}.",
            "Confidentialité et utilité de {count} jeux ; sur le front de Pareto : {best}.",
        ),
        "axis.utility": Text("hellinger_mean (left: more useful)", "hellinger_mean (à gauche : plus utile)"),
        "axis.privacy": Text("hidden_rate (up: safer)", "hidden_rate (en haut : plus sûr)"),
        "plot.alt": Text(
            "Metrics of {table} against their gates and targets; missed: {missed}.",
            "Mesures de {table} face à leurs seuils et cibles ; manqués : {missed}.",
        ),
        "plot.legend": Text(
            "Dot: bound met, cross: bound missed, stroke: bound, pale bar: 95% interval.",
            "Point : borne tenue, croix : borne manquée, trait : borne, barre pâle : intervalle à 95 %.",
        ),
        "none": Text("none", "aucun"),
        "summary": Text("summary", "résumé"),
        "pia": Text("impact assessment", "analyse d'impact"),
        "receipt": Text("receipt", "justificatif"),
    }
)
