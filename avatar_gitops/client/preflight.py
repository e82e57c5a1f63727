"""Whether a server can run what a spec asks for, known before anything is sent to it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Final

from avatar_gitops.errors import RemoteRefused
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.spec.models import Avatarization, Budget, Column, Generation, Geometry, Job, Table

PROCESSORS: Final = "processors:"
LOCAL_ONLY = frozenset(
    {
        "generation:local_gaussian",
        "dp:declarations",
        "transform_skewed",
        "pseudonymization:key",
        "pseudonymization:locale",
        "holdout",
        "holdout_share",
        "shadow_run",
        "groups",
        "signal_target",
    }
)


@dataclass(frozen=True, slots=True)
class Need:
    """A feature by its name in `GET /capabilities`, the parameter that asks for it, and the table it stands under."""

    feature: str
    parameter: str
    table: str | None = None


def needs(desired: DesiredSet) -> Iterator[Need]:
    """Everything in a spec that some server may not offer."""
    spec = desired.run.spec
    features = {
        Job.PRIVACY_METRICS: "privacy_metrics",
        Job.SIGNAL_METRICS: "signal_metrics",
        Job.REPORT: f"report:{spec.results.report_format.value}",
        Job.REPORT_PIA: "report_pia:docx",
    }
    jobs = wanted(desired.run)
    yield from (Need(feature, f"jobs: {job.value}") for job, feature in features.items() if job in jobs)
    if spec.results.format is not None:
        yield Need(f"results:{spec.results.format.value}", "results.format")
    for name, table in spec.tables.items():
        yield from (Need(need.feature, need.parameter, name) for need in _table(table))


def _table(table: Table) -> Iterator[Need]:
    if table.avatars is not None:
        yield Need("metrics_only", "avatars")
    yield from _measured(table)
    if not table.individual_level:
        yield Need("individual_level:false", "individual_level: false")
    if table.time_series is not None:
        yield Need("time_series", "time_series")
        for name in ("unalignment", "exclude_variables"):
            if getattr(table.time_series, name) is not None:
                yield Need(f"time_series:{name}", f"time_series.{name}")
    for index, link in enumerate(table.links or ()):
        yield Need(f"links:{link.method.value}", f"links.{index}.method: {link.method.value}")
    for field, column in table.columns.items():
        yield from _column(column, f"columns.{field}")
    for one in table.processors or ():
        yield Need(f"{PROCESSORS}{one.kind}", f"processors: {one.kind}")
    if table.avatarization is not None:
        yield from _method(table.avatarization)
    for where in ("avatarization", "privacy_metrics", "signal_metrics"):
        settings: Geometry | None = getattr(table, where)
        if settings is not None:
            yield from _geometry(settings, where)


def _column(column: Column, place: str) -> Iterator[Need]:
    if column.pseudonymization is not None:
        yield Need("pseudonymization", f"{place}.pseudonymization")
        for name in ("key", "locale"):
            if getattr(column.pseudonymization, name, None) is not None:
                yield Need(f"pseudonymization:{name}", f"{place}.pseudonymization.{name}")
    if column.time_series_time:
        yield Need("time_series", f"{place}.time_series_time")
    if column.drop:
        yield Need("drop", f"{place}.drop")
    if column.type is not None:
        yield Need("column_types", f"{place}.type")
    if column.public is not None:
        yield Need("dp:declarations", f"{place}.public")


def _measured(table: Table) -> Iterator[Need]:
    if table.holdout is not None:
        yield Need("holdout", "holdout")
    if table.privacy_metrics is not None and table.privacy_metrics.shadow_run:
        yield Need("shadow_run", "privacy_metrics.shadow_run")
    if table.privacy_metrics is not None and table.privacy_metrics.groups is not None:
        yield Need("groups", "privacy_metrics.groups")
    if table.signal_metrics is not None and table.signal_metrics.target is not None:
        yield Need("signal_target", "signal_metrics.target")


def _method(said: Avatarization) -> Iterator[Need]:
    if said.open_dp is not None:
        yield Need("open_dp", "avatarization.open_dp")
        yield from _budget(said.open_dp, "avatarization.open_dp", ("delta", "unit", "rows", "bins"))
    elif said.fast_dp is not None:
        yield Need("fast_dp", "avatarization.fast_dp")
        additions = ("delta", "unit", "rows", "preprocess_budget_ratio")
        yield from _budget(said.fast_dp, "avatarization.fast_dp", additions)
    else:
        yield Need("avatarization", "avatarization.k")
    if said.generation is not Generation.BARYCENTRE:
        yield Need(f"generation:{said.generation.value}", f"avatarization.generation: {said.generation.value}")
    for name in ("data_augmentation", "avatarization_processors_parameters", "holdout_share"):
        if getattr(said, name):
            yield Need(name, f"avatarization.{name}")


def _budget(said: Budget, where: str, additions: tuple[str, ...]) -> Iterator[Need]:
    """Parameters of differential privacy that the hosted platform does not know."""
    for name in additions:
        if getattr(said, name) is not None:
            yield Need("dp:declarations", f"{where}.{name}")


def _geometry(said: Geometry, where: str) -> Iterator[Need]:
    for name in ("use_categorical_reduction", "transform_skewed", "column_weights", "exclude_variables"):
        if getattr(said, name):
            yield Need(name, f"{where}.{name}")
    if said.imputation is not None and said.imputation.method is not None:
        yield Need(f"imputation:{said.imputation.method.value}", f"{where}.imputation.method")


def _ours(feature: str) -> bool:
    """Whether a feature is an addition of the embedded platform."""
    return feature in LOCAL_ONLY or feature.startswith(PROCESSORS)


def preflight(desired: DesiredSet, features: Set[str] | None, server: str) -> None:
    """Raise RemoteRefused for the first thing that the server does not offer.

    A server that says nothing (`features` is None) is the hosted platform, which lacks only our additions.
    """
    for need in needs(desired):
        offered = not _ours(need.feature) if features is None else need.feature in features
        if not offered:
            where = f"table {need.table}: " if need.table else ""
            raise RemoteRefused(
                f"{desired.name}: {where}{need.parameter} is not offered by {server}",
                hint=f"take `{need.parameter}` out of {desired.path}, or run this set on a server that offers it",
            )
