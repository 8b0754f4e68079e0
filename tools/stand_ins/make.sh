#!/usr/bin/env bash
# Makes the images of compose.yaml where no registry of images can be reached: the base of ours, and
# stand-ins for those of others, from Debian's packages (of DEBIAN_MIRROR, or debootstrap's own
# choice). As root, with docker and debootstrap:
#
#     tools/stand_ins/make.sh
#     export COMPOSE_FILE=compose.yaml:tools/stand_ins/compose.yaml
#     docker compose up --detach --wait
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# import_debian SUITE PACKAGES IMAGE: a minimal Debian as an image.
import_debian() {
    debootstrap --variant=minbase --include="$2" "$1" "$work/$1" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
        > "$work/$1.log" || { tail "$work/$1.log" >&2; exit 1; }
    rm -rf "$work/$1/var/cache/apt/archives"/*.deb "$work/$1/var/lib/apt/lists"/*
    # This machine's certificates: a proxy may have one of its own.
    cp /etc/ssl/certs/ca-certificates.crt "$work/$1/etc/ssl/certs/"
    for name in python python3; do
        [[ ! -e $work/$1/usr/bin/python3 ]] || ln -sf /usr/bin/python3 "$work/$1/usr/local/bin/$name"
    done
    tar -C "$work/$1" -c . | docker import - "$3"
}

base=$(sed -n 's/^FROM \(python:[^ ]*\) AS base$/\1/p' Dockerfile)
import_debian bookworm python3.11,python3.11-venv,python3-pip,ca-certificates "$base"
# nginx asks for addresses again (`resolve`) since 1.27.3, which bookworm does not have.
import_debian sid nginx,gettext-base,wget,netcat-openbsd,ca-certificates bukva-stand-in-sid

for target in serving mlflow operations; do
    name=bukva-$target
    docker build --network=host --target "$target" --tag "${name%-serving}" .
done
for target in postgresql s3 nginx prometheus; do
    docker build --network=host --target "$target" --tag "bukva-stand-in-$target" \
        --build-arg BASE="$base" tools/stand_ins
done
