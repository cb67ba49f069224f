#!/usr/bin/env bash
# Compiles shelflife from this action's own commit into FOLDER, unless it is already there, and adds it to the path.
set -euo pipefail

if [[ ! -x $FOLDER/bin/shelflife && ! -x $FOLDER/bin/shelflife.exe ]]; then
  type cargo >/dev/null 2>&1 || {
    echo "::error title=shelflife::no shelflife release for this commit and runner, and no cargo to compile it;" \
      "pin a released version, or set \`program\` to the path of a shelflife program"
    exit 1
  }
  # The runner's default target folder would be in the workspace, which may be the site.
  CARGO_TARGET_DIR=$RUNNER_TEMP/shelflife/target cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$FOLDER"
fi
echo "$FOLDER/bin" >>"$GITHUB_PATH"
echo "version=$("$FOLDER/bin/shelflife" --version)" >>"$GITHUB_OUTPUT"
