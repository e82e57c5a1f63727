"""The marks that a new version carries on the server: whose it is and what it was made from."""

from __future__ import annotations

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.observed import Annotation


def marks(desired: DesiredSet, project: str, commit: str, version: str, base_set: str | None = None) -> dict[str, str]:
    """Annotations of a version to create; `version` is that of this program, `base_set` the version it builds on."""
    digests = desired.digests
    content = {
        Annotation.PROJECT: project,
        Annotation.SET: desired.name,
        Annotation.SPEC_DIGEST: digests.spec,
        Annotation.STANDARD_DIGEST: digests.standard,
        Annotation.METRICS_DIGEST: digests.metrics,
        Annotation.REPORTS_DIGEST: digests.reports,
        Annotation.INPUT_DIGEST: digests.input,
        Annotation.COMMIT: commit,
        Annotation.PATH: desired.path,
        Annotation.VERSION: version,
        Annotation.JOBS: ",".join(wanted(desired.run)),
        Annotation.PROTECT: "true" if desired.run.spec.lifecycle.protect else "false",
    }
    if base_set:
        content[Annotation.BASE_SET] = base_set
    return {key.value: value for key, value in content.items() if value}
