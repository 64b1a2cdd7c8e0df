#!/bin/sh
# Sees to it that there is a Go that can build the module: the one on the path where it is new
# enough, else one that is downloaded into build/go, which the Makefile has first on the path.
set -eu
cd "$(dirname "$0")/.."

# The toolchain as the Go module proxies serve it, and the SHA-256 of its zip file.
version=go1.26.8
sum_amd64=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7
sum_arm64=02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99

# go.mod says how new is new enough, and an older Go refuses to read it.
if found=$(GOTOOLCHAIN=local go list -m 2>&1); then exit 0; fi
if [ "$(head -n 1 build/go/VERSION 2>/dev/null)" = $version ]; then exit 0; fi

fail() {
	echo "$found" >&2
	echo "$1. With $version or later on the path nothing is downloaded: https://go.dev/dl/" >&2
	exit 1
}

case $(uname -m) in
x86_64) architecture=amd64 sum=$sum_amd64 ;;
aarch64) architecture=arm64 sum=$sum_arm64 ;;
*) fail "there is no Go to download here for a machine of type $(uname -m)" ;;
esac

# The first of the proxies that the user wants, if it is one.
proxy=${GOPROXY:-https://proxy.golang.org}
proxy=${proxy%%[,|]*}
case $proxy in
http://* | https://*) ;;
off) fail "GOPROXY=off forbids downloading Go" ;;
*) proxy=https://proxy.golang.org ;;
esac

lab/install.sh curl:curl /etc/ssl/certs/ca-certificates.crt:ca-certificates unzip:unzip
name=golang.org/toolchain@v0.0.1-$version.linux-$architecture
url=${proxy%/}/$(echo "$name" | sed 's|@|/@v/|').zip
echo "Downloading $url into build/go"
mkdir -p build
work=$(mktemp -d build/go.XXXXXX)
trap 'rm -rf "$work"' EXIT INT TERM
curl -fsSL --retry 3 -o "$work/zip" "$url" || fail "$url cannot be had"
echo "$sum  $work/zip" | sha256sum --check --quiet || fail "$url is not the file whose SHA-256 is $sum"
unzip -q "$work/zip" -d "$work"
# A zip file of a module may hold no other go.mod.
find "$work" -name _go.mod -execdir mv {} go.mod ';'
chmod -R u+w,a+rX "$work/$name"
chmod +x "$work/$name"/bin/* "$work/$name"/pkg/tool/*/*
rm -rf build/go
mv "$work/$name" build/go
