# In the sandbox the build folder is always /build.
if [ "$NIX_BUILD_TOP" = /build ]; then exit 3; fi
echo "no sandbox" > "$out"
