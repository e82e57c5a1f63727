#!/usr/bin/env bash
# The `Run` step of action.yml. Inputs come as INPUT_* variables and are only ever used in quotes.
set -uo pipefail
program="${AVATAR_GITOPS_PROGRAM:-${RUNNER_TEMP}/avatar-gitops/bin/avatar-gitops}"
common=(--project "${INPUT_PROJECT}")
code=0

case "${INPUT_COMMAND}" in
  validate)
    "${program}" validate "${common[@]}" --format github || code=$?
    echo "exit_code=${code}" >> "${GITHUB_OUTPUT}"
    ;;
  plan) # writes its outputs itself, exit_code included
    "${program}" ci plan "${common[@]}" --server "${INPUT_SERVER}" --dir "${INPUT_DIR}" || code=$?
    ;;
  apply)
    "${program}" apply "${common[@]}" --server "${INPUT_SERVER}" --yes --format json > "${RUNNER_TEMP}/applied.json" || code=$?
    "${program}" ci applied "${RUNNER_TEMP}/applied.json" "${common[@]}" --dir "${INPUT_DIR}" || true
    echo "exit_code=${code}" >> "${GITHUB_OUTPUT}"
    ;;
  drift)
    "${program}" drift "${common[@]}" --server "${INPUT_SERVER}" --format markdown > "${RUNNER_TEMP}/drift.md" || code=$?
    cat "${RUNNER_TEMP}/drift.md" >> "${GITHUB_STEP_SUMMARY}"
    echo "exit_code=${code}" >> "${GITHUB_OUTPUT}"
    if [ "${code}" -eq 2 ]; then
      echo "::warning title=avatar-gitops::the server differs from what was applied; see the summary of this job"
      code=0
    fi
    ;;
  *)
    echo "::error title=avatar-gitops::the input \`command\` is one of validate, plan, apply, drift"
    code=64
    ;;
esac
exit "${code}"
