#!/usr/bin/env bash
# The `Run` step of action.yml. Inputs come as INPUT_* variables and are only ever used in quotes.
set -uo pipefail
program="${AVATAR_GITOPS_PROGRAM:-${RUNNER_TEMP}/avatar-gitops/bin/avatar-gitops}"
project=(--project "${INPUT_PROJECT}")
server=(--server "${INPUT_SERVER}")
result="${RUNNER_TEMP}/applied.json"
code=0

publish() {
  if [ "${INPUT_COMMENT:-false}" = true ]; then
    "${program}" ci comment --body "${INPUT_DIR}/comment.md"
  fi
}

case "${INPUT_COMMAND}" in
  validate)
    "${program}" validate "${project[@]}" --format github || code=$?
    echo "exit_code=${code}" >> "${GITHUB_OUTPUT}"
    ;;
  plan) # writes its outputs itself, exit_code included
    more=()
    if [ "${INPUT_REVIEWS:-false}" = true ]; then
      more+=(--reviews)
    fi
    if [ -n "${INPUT_PREVIEW:-}" ]; then
      more+=(--preview "${INPUT_PREVIEW}")
    fi
    if [ -n "${INPUT_BASE:-}" ]; then
      more+=(--offline --base "${INPUT_BASE}")
    fi
    "${program}" ci plan "${project[@]}" "${server[@]}" "${more[@]}" --dir "${INPUT_DIR}" || code=$?
    publish || code=$((code == 0 ? $? : code))
    ;;
  apply)
    approved=()
    if [ "${INPUT_REVIEWS:-false}" = true ]; then
      logins="$("${program}" ci approvals --times)" || exit $?
      while IFS= read -r login; do
        if [ -n "${login}" ]; then
          approved+=(--approved-by "${login}")
        fi
      done <<< "${logins}"
    fi
    expected=()
    if [ "${INPUT_EXPECT_REVIEWED:-false}" = true ]; then
      digest="$("${program}" ci reviewed "${project[@]}" "${server[@]}")" || exit $?
      expected=(--expect-digest "${digest}")
    fi
    "${program}" apply "${project[@]}" "${server[@]}" "${approved[@]}" "${expected[@]}" --yes --format json \
      > "${result}" || code=$?
    "${program}" ci applied "${result}" "${project[@]}" "${approved[@]}" --dir "${INPUT_DIR}" && publish
    said=$?
    code=$((code == 0 ? said : code))
    if [ "${INPUT_EVIDENCE:-false}" = true ]; then
      "${program}" ci evidence "${result}" "${project[@]}" --dir "${INPUT_DIR}" || code=$((code == 0 ? $? : code))
    fi
    echo "exit_code=${code}" >> "${GITHUB_OUTPUT}"
    ;;
  drift)
    "${program}" drift "${project[@]}" "${server[@]}" --format markdown > "${RUNNER_TEMP}/drift.md" || code=$?
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
