# How a builder's Nix is set up: one `name<TAB>value` a line. `reprobuild builder check` sends this over ssh, so it
# sees what Nix's own ssh connections see: no login shell, its PATH.
say() { printf '%s\t%s\n' "$1" "$2"; }

say clock_s "$(date +%s)"
say user "$(id -un)"
say groups "$(id -Gn)"
say cores "$(nproc)"
command -v python3 >/dev/null 2>&1 && say python3 yes
command -v nix-store >/dev/null 2>&1 || exit 0
say nix_version "$(nix-store --version)"
store=$(nix-instantiate --eval --expr builtins.storeDir | tr -d '"')
say store_dir "$store"
say free_kib "$(df -Pk "$store" | awk 'NR == 2 { print $4 }')"
[ -w /nix/var/nix/db ] && say writes_store yes
nix='nix --extra-experimental-features nix-command'
settings=$($nix config show 2>/dev/null || $nix show-config 2>/dev/null) # the first since Nix 2.20
for name in system extra-platforms system-features max-jobs pre-build-hook sandbox sandbox-fallback \
  substituters trusted-users; do
  say "setting $name" "$(printf '%s\n' "$settings" | sed -n "s/^$name = //p")"
done
hook=$(printf '%s\n' "$settings" | sed -n 's/^pre-build-hook = //p')
[ -n "$hook" ] && [ -x "$hook" ] && say hook_runs yes
exit 0
