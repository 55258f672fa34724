#!/usr/bin/env bash
# From a bare Debian to a finished run, one way of installing at a time, with the seconds that each
# step took; docs/install.md has what was seen.
#   scripts/bare.sh SUITE wheel FILE.whl | archive FILE.tar.gz | source
# SUITE is bookworm, trixie, …; MIRROR may name another mirror than Debian's own. Needs root and
# debootstrap; `source` lends the root this machine's Rust toolchain, to be read only. The root is
# made anew in a folder of /var/tmp and taken away at the end.
set -euo pipefail
exec 2>&1
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0"; exit 2; }
suite=$1 way=$2 file=${3:-}
root=$(mktemp -d "/var/tmp/bare-$suite.XXXXXX")
chmod 755 "$root"  # apt fetches as a user of its own
clean() {
  umount "$root/opt/rust" "$root/proc" 2>/dev/null || true
  mountpoint -q "$root/opt/rust" || mountpoint -q "$root/proc" || rm -rf --one-file-system "$root"
}
trap clean EXIT

debootstrap --variant=minbase "$suite" "$root" ${MIRROR:+"$MIRROR"} >"$root.log" || {
  tail "$root.log"
  exit 1
}
rm "$root.log"
mount -t proc proc "$root/proc"
# names and certificates of this site
cp /etc/resolv.conf "$root/etc/"
own=usr/local/share/ca-certificates
mkdir -p "$root/$own"
find "/$own" -name '*.crt' -exec cp {} "$root/$own/" \;
cp data/structures/trpcage.pdb "$root/root/"
[ -z "$file" ] || cp "$file" "$root/root/"

# Runs the lines of stdin in the root, each in a shell of its own, and says how long it took.
TIMEFORMAT="  %R s, of the processor %U + %S s"
inside() {
  while IFS= read -r line; do
    echo "# $line"
    time chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      PATH=/root/own/bin:/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      bash -euo pipefail -c "cd; $line" </dev/null
  done
}
run="mdsurrogate run trpcage.pdb --steps 10 -o out -q && ls -l out.xtc"
install="apt-get update -qq && apt-get install -y -qq --no-install-recommends"

case $way in
  wheel)
    inside <<END
$install python3-venv ca-certificates >/dev/null 2>&1
python3 -m venv own && own/bin/pip install -q $(basename "$file")
$run
END
    ;;
  archive)
    inside <<END
mkdir own && tar xzf $(basename "$file") --strip-components=1 -C own
(cd own && sha256sum -c --quiet SHA256SUMS)
$run
END
    ;;
  source)
    mkdir -p "$root/opt/rust" "$root/root/mdsurrogate"
    mount --bind "$(rustc --print sysroot)" "$root/opt/rust"
    mount -o remount,ro,bind "$root/opt/rust"
    git archive HEAD | tar x -C "$root/root/mdsurrogate"
    inside <<END
$install gcc libc6-dev ca-certificates >/dev/null 2>&1
cargo install --locked --path mdsurrogate --root own
$run
END
    ;;
  *) echo "error: no way of installing: $way (wheel, archive, source)"; exit 2 ;;
esac
inside <<<"mdsurrogate --version"
