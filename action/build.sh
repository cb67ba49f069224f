#!/usr/bin/env bash
# Builds the site and says what came of it in outputs. It succeeds also if the build fails, so that the cache is saved;
# a later step of the action fails then.
set -euo pipefail

place=$RUNNER_TEMP/shelflife
report=$place/report.json
site=$place/site
mkdir -p "$place"

# A restored cache that is not what the run before this one saved lacks the numbers that were observed since. The
# published site has them.
if [[ -n ${RESTORED:-} ]]; then
  [[ $RESTORED =~ -([0-9]+)-[0-9]+-[0-9]+$ ]] && number=${BASH_REMATCH[1]} || number=0
  if ((number != GITHUB_RUN_NUMBER && number != GITHUB_RUN_NUMBER - 1)); then
    echo "The cache is from run $number: taking over what was published since."
    shelflife cache seed --site "$FOLDER"
  fi
fi

arguments=(build "$FOLDER" --output "$site" --report "$report")
[[ -z ${URL:-} ]] || arguments+=(--url "$URL")
[[ -z ${BASE_PATH:-} ]] || arguments+=(--base-path "$BASE_PATH")
while IFS= read -r argument; do
  [[ -z $argument ]] || arguments+=("$argument")
done <<<"${ARGUMENTS:-}"

# An earlier run on the same machine may have left one.
rm -f "$report"
code=0
shelflife "${arguments[@]}" || code=$?

{
  echo "exit-code=$code"
  echo "site=$site"
  if [[ -s $report ]]; then
    echo "report=$report"
    jq --raw-output '
      "changed=\(.outputs.changed // (.outputs.written_paths + .outputs.removed_paths) | length > 0)",
      "entries=\(.entries.total // 0)",
      "written=\(.outputs.written // 0)",
      "removed=\(.outputs.removed // 0)",
      "stale=\(.facts.stale // 0)",
      "missing=\(.facts.missing // 0)",
      "warnings=\(.warnings // [] | length)"' "$report"
  fi
} >>"$GITHUB_OUTPUT"
