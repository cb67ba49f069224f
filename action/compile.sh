#!/usr/bin/env bash
# Compiles shelflife from this action's own commit into FOLDER, unless it is there, and puts it on the path.
set -euo pipefail

if [[ ! -x $FOLDER/bin/shelflife && ! -x $FOLDER/bin/shelflife.exe ]]; then
  type cargo >/dev/null 2>&1 || {
    echo "::error title=shelflife::there is no release of shelflife for this commit and this kind of runner, and no" \
      "cargo to compile it; pin a released version, or give the path of a shelflife as \`program\`"
    exit 1
  }
  # The runner's own output folder would be in the workspace, which may be the site.
  CARGO_TARGET_DIR=$RUNNER_TEMP/shelflife/target cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$FOLDER"
fi
echo "$FOLDER/bin" >>"$GITHUB_PATH"
echo "version=$("$FOLDER/bin/shelflife" --version)" >>"$GITHUB_OUTPUT"
