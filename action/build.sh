#!/usr/bin/env bash
# Builds the site and sets the outputs of the action. Succeeds even if the build fails, so that the cache is saved; a
# later step of the action fails in that case.
set -euo pipefail

place=$RUNNER_TEMP/shelflife
report=$place/report.json
site=$place/site
mkdir -p "$place"

[[ -z ${URL:-} ]] || export SHELFLIFE_URL=$URL
[[ -z ${BASE_PATH:-} ]] || export SHELFLIFE_BASE_PATH=$BASE_PATH

# A cache that was not saved by the previous run lacks the observations made since then. The published site has them, so
# it must not be replaced by a build that can't read them. Without any cache, the build itself restores the history from
# the site.
if [[ ${RESTORED:-} =~ -([0-9]+)-[0-9]+-[0-9]+$ ]]; then
  number=${BASH_REMATCH[1]}
  if ((number != GITHUB_RUN_NUMBER && number != GITHUB_RUN_NUMBER - 1)); then
    echo "The cache is from run $number; restoring the history published since then."
    shelflife cache seed --site "$FOLDER"
  fi
fi
# The cache is now complete, whether or not the build succeeds.
echo "save=true" >>"$GITHUB_OUTPUT"

arguments=(build "$FOLDER" --output "$site" --report "$report")
while IFS= read -r argument; do
  [[ -z $argument ]] || arguments+=("$argument")
done <<<"${ARGUMENTS:-}"

# An earlier run on the same machine may have left a report.
rm -f "$report"
code=0
shelflife "${arguments[@]}" || code=$?

{
  echo "exit-code=$code"
  echo "site=$site"
  if [[ -s $report ]]; then
    echo "report=$report"
    jq --raw-output '
      "changed=\(.outputs.changed | length > 0)",
      "entries=\(.entries.total // "")",
      "written=\(.outputs.written // "")",
      "removed=\(.outputs.removed // "")",
      "stale=\(.facts.stale // "")",
      "missing=\(.facts.missing // "")",
      "warnings=\(.warnings | length)"' "$report"
  fi
} >>"$GITHUB_OUTPUT"
