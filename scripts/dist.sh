#!/usr/bin/env bash
# make dist: the archive that is handed out, for any Linux on x86-64 with glibc 2.17 (2012) or
# newer. Two builds lie in it, for any x86-64 and for x86-64-v3 (src/level.rs); GPUs by Vulkan where
# there is a driver, without VkFFT. Zig is the linker, which brings glibc's symbols of that age.
#   VENV   a Python environment, which is made; LEVELS="x86-64"   only that build, to try the rest
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
venv=${VENV:-target/zig}
levels=${LEVELS:-x86-64 x86-64-v3}
target=x86_64-unknown-linux-gnu
version=$("$cargo" metadata --no-deps --format-version=1 | python3 -c '
import json, sys
print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "mdsurrogate"))')
name=mdsurrogate-$version-x86_64-linux
into=target/dist/$name

if [ ! -x "$venv/bin/cargo-zigbuild" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1 cargo-zigbuild==0.24.1
fi
rustup target list --installed 2>/dev/null | grep -qx $target || rustup target add $target

rm -rf "$into"
mkdir -p "$into"/{bin,share/man/man1,share/doc/mdsurrogate}
for level in $levels; do
  # this variable takes the place of .cargo/config.toml's flags
  RUSTFLAGS="-C target-cpu=$level" CARGO_PROFILE_RELEASE_STRIP=symbols \
    PATH="$PWD/$venv/bin:$PATH" "$cargo" zigbuild --locked --release --no-default-features \
    --features gpu --target $target.2.17 --target-dir "target/dist/$level"
  case $level in
    x86-64) to=$into/bin ;;
    *) to=$into/libexec/mdsurrogate/$level ;;
  esac
  mkdir -p "$to"
  cp "target/dist/$level/$target/release/mdsurrogate" "$to/"
done

program=$into/bin/mdsurrogate
"$program" man --dir "$into/share/man/man1"
place() { mkdir -p "$into/share/$(dirname "$2")"; "$program" completions "$1" > "$into/share/$2"; }
place bash bash-completion/completions/mdsurrogate
place zsh zsh/site-functions/_mdsurrogate
place fish fish/vendor_completions.d/mdsurrogate.fish
doc=$into/share/doc/mdsurrogate
cp README.md CHANGELOG.md CITATION.cff LICENSE-MIT LICENSE-APACHE "$doc/"
cp -r scripts/slurm "$doc/"
python3 scripts/licences.py --features gpu --target $target > "$doc/THIRD_PARTY.txt"
python3 scripts/sbom.py --features gpu --target $target > "$doc/sbom.cyclonedx.json"

# nothing in it asks for a younger glibc, or for a library beyond it
for binary in "$program" "$into"/libexec/mdsurrogate/*/mdsurrogate; do
  [ -e "$binary" ] || continue
  youngest=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
  echo "$binary: $youngest; $(objdump -p "$binary" | awk '/NEEDED/ {printf "%s ", $2}')"
  [ "$(printf '%s\nGLIBC_2.17\n' "$youngest" | sort -V | tail -n 1)" = GLIBC_2.17 ]
done

cd target/dist
(cd "$name" && find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum) \
  > SHA256SUMS.part
mv SHA256SUMS.part "$name/SHA256SUMS"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
  -czf "$name.tar.gz" "$name"
sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256"
