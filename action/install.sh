#!/usr/bin/env bash
# Installs shelflife: the program named by PROGRAM, or else the release for this commit. Otherwise outputs a folder and
# a cache key for action/compile.sh.
set -euo pipefail

outputs() { # name=value…
  printf '%s\n' "$@" >>"$GITHUB_OUTPUT"
}

error() { # message
  echo "::error title=shelflife::$1"
  exit 1
}

if [[ -n ${PROGRAM:-} ]]; then
  [[ -f $PROGRAM && -x $PROGRAM ]] ||
    error "$PROGRAM is not an executable file; set \`program\` to the path of a shelflife program on this runner"
  folder=$(cd "$(dirname "$PROGRAM")" && pwd)
  name=$(basename "$PROGRAM")
  if [[ $name != shelflife && $name != shelflife.exe ]]; then
    # The file may be named shelflife-1.2.3, but later steps run `shelflife`.
    link=$RUNNER_TEMP/shelflife/given
    mkdir -p "$link"
    case $name in *.exe) as=shelflife.exe ;; *) as=shelflife ;; esac
    ln -sf "$folder/$name" "$link/$as"
    folder=$link
  fi
  echo "$folder" >>"$GITHUB_PATH"
  outputs from=given "version=$("$PROGRAM" --version)"
  exit
fi

# Runners store an action in _actions/OWNER/NAME/REF. GITHUB_ACTION_REF is empty in a composite action
# (https://github.com/actions/runner/issues/2473).
path=${GITHUB_ACTION_PATH//\\//}
repository='' ref=''
if [[ $path =~ /_actions/([^/]+/[^/]+)/(.+)$ ]]; then
  repository=${BASH_REMATCH[1]} ref=${BASH_REMATCH[2]}
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)
case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  Windows-X64) target=x86_64-pc-windows-msvc ;;
  *) target='' ;;
esac

# A release belongs to the commit it was built from, not to a branch that has moved on.
is_release() {
  [[ -n $repository && -n $target ]] || return 1
  [[ $ref == "v$version" ]] && return
  [[ $ref =~ ^[0-9a-f]{40}$ ]] || return 1
  local tags
  tags=$(git ls-remote "$GITHUB_SERVER_URL/$repository" "refs/tags/v$version" "refs/tags/v$version^{}") || return 1
  grep -q "^${ref}[[:space:]]" <<<"$tags"
}

fetch() { # name: downloads a file of the release, or fails
  curl --fail --silent --show-error --location --retry 3 --proto "=${GITHUB_SERVER_URL%%:*}" --proto-redir '=https' \
    --output "$download/$1" "$GITHUB_SERVER_URL/$repository/releases/download/v$version/$1"
}

digest() { # file
  if type sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

if is_release; then
  name=shelflife-$version-$target
  download=$RUNNER_TEMP/shelflife/release
  mkdir -p "$download"
  if fetch SHA256SUMS; then
    fetch "$name.tar.gz" || error "release v$version has no $name.tar.gz"
    is=$(digest "$download/$name.tar.gz")
    expected=${CHECKSUM:-$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\.tar\.gz\$/\1/p" "$download/SHA256SUMS")}
    [[ $is == "$expected" ]] ||
      error "$name.tar.gz has the SHA-256 digest $is, expected ${expected:-one in SHA256SUMS}"
    # The checksum has the same origin as the archive. The provenance proves that both were built from this commit;
    # verifying it needs gh, which GitHub's own runners have.
    if type gh >/dev/null 2>&1; then
      fetch provenance.sigstore.json
      source=(--source-ref "refs/tags/v$version")
      [[ $ref == "v$version" ]] || source+=(--source-digest "$ref")
      gh attestation verify "$download/$name.tar.gz" --bundle "$download/provenance.sigstore.json" \
        --repo "$repository" --signer-workflow "$repository/.github/workflows/release.yml" "${source[@]}"
    else
      echo "::notice title=shelflife::gh is not installed, so the release's provenance was not verified"
    fi
    tar -xzf "$download/$name.tar.gz" -C "$download"
    echo "$download/$name" >>"$GITHUB_PATH"
    outputs from=release "version=$("$download/$name/shelflife" --version)"
    exit
  fi
fi

# The key identifies the sources, so that the cache of other sources is never used.
sources=$(cd "$GITHUB_ACTION_PATH" &&
  find Cargo.toml Cargo.lock build.rs crates src site cache-schema docs xtask -type f -not -path 'site/public/*' -print0 |
  LC_ALL=C sort -z | xargs -0 cat | git hash-object --stdin)
outputs from=source "folder=$RUNNER_TEMP/shelflife/compiled" \
  "key=shelflife-program-$RUNNER_OS-$RUNNER_ARCH-$version-$sources"
