#!/usr/bin/env bash
# Builds the site and says what came of it in outputs. It succeeds also if the build fails, so that the cache is saved;
# a later step of the action fails then.
set -euo pipefail

place=$RUNNER_TEMP/shelflife
report=$place/report.json
site=$place/site
mkdir -p "$place"

[[ -z ${URL:-} ]] || export SHELFLIFE_URL=$URL
[[ -z ${BASE_PATH:-} ]] || export SHELFLIFE_BASE_PATH=$BASE_PATH

# A cache that is not the one that the run before this one saved lacks the numbers that were observed since. The published
# site has them, so a build that can't read it must not take its place. Where there is no cache at all, the build itself
# asks the site.
if [[ ${RESTORED:-} =~ -([0-9]+)-[0-9]+-[0-9]+$ ]]; then
  number=${BASH_REMATCH[1]}
  if ((number != GITHUB_RUN_NUMBER && number != GITHUB_RUN_NUMBER - 1)); then
    echo "The cache is from run $number, so the history that was published since is taken over."
    shelflife cache seed --site "$FOLDER"
  fi
fi
# Now the cache has all of the history, whatever becomes of the build.
echo "save=true" >>"$GITHUB_OUTPUT"

arguments=(build "$FOLDER" --output "$site" --report "$report")
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
      "changed=\(.outputs.changed | length > 0)",
      "entries=\(.entries.total // "")",
      "written=\(.outputs.written // "")",
      "removed=\(.outputs.removed // "")",
      "stale=\(.facts.stale // "")",
      "missing=\(.facts.missing // "")",
      "warnings=\(.warnings | length)"' "$report"
  fi
} >>"$GITHUB_OUTPUT"
