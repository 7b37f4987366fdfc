# A usable WebGPU adapter, installing as little as possible. Sourced by bin/setup, which defines `step`.
#
# Linux only ever lacks two things: the Vulkan loader, or a driver. A machine with a GPU gets the loader; one without
# gets lavapipe, Mesa's Vulkan driver for the CPU. Dawn refuses lavapipe before Mesa 24.

mesa_minimum=24
apt_folder=/etc/apt

probe_adapter() { node bin/lib/probe-adapter.mjs 2>/dev/null; }

has_gpu() {
  local path
  for path in /dev/nvidia0 /usr/local/nvidia /dev/dri/renderD*; do
    [ -e "$path" ] && return 0
  done
  return 1
}

has_loader() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1 '; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

can_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Runs apt-get without questions; shows its output only when it fails. A lock held by another process is waited for.
apt() {
  local log status=0
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# Never at the price of a package that is already there.
install_packages() { apt install -y --no-remove --no-install-recommends "$@"; }

# The version of mesa-vulkan-drivers that apt would install, without epoch: 25.0.7-2
mesa_candidate() { LC_ALL=C apt-cache policy mesa-vulkan-drivers | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}//p'; }

at_least_minimum() {
  local major=${1%%.*}
  case $major in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -ge "$mesa_minimum" ]
}

# Prints apt's source files whose names match the pattern $1, a blank line after each.
read_sources() {
  local file
  for file in "$apt_folder"/$1; do
    if [ -f "$file" ]; then cat "$file" && echo; fi
  done
}

# Prints the machine's own entries for suite $1 again, for suite $2: copying an entry keeps its mirror, keyring and
# options, whatever they are. One-line format (.list) here, deb822 (.sources) below.
list_for_suite() {
  { read_sources sources.list && read_sources 'sources.list.d/*.list'; } |
    awk -v from="$1" -v to="$2" '
      $1 == "deb" && / main( |$)/ { for (i = 2; i < NF; i++) if ($i == from) { $i = to; print; next } }'
}

stanzas_for_suite() {
  read_sources 'sources.list.d/*.sources' |
    awk -v from="$1" -v to="$2" '
      /^[ \t]*$/ { if (wanted && main) print stanza; stanza = ""; wanted = main = 0; next }
      tolower($1) == "suites:" { for (i = 2; i <= NF; i++) if ($i == from) wanted = 1; $0 = "Suites: " to }
      tolower($1) == "components:" { for (i = 2; i <= NF; i++) if ($i == "main") main = 1 }
      { stanza = stanza $0 "\n" }'
}

# Installs lavapipe from $1-backports. The suite is known to apt for this one transaction only: its entry lives in a
# temporary folder, so that afterwards apt chooses for every package what it chose before. `package/suite` takes only
# that package, and what it strictly needs (libdrm), from backports; the loader comes from the distribution itself.
install_from_backports() {
  local codename=$1 suite=$1-backports parts status=0
  local wanted=("mesa-vulkan-drivers/$suite" libvulkan1)
  # libdrm-dev wants a libdrm of exactly its own version: where it is installed, it moves along.
  if dpkg -s libdrm-dev >/dev/null 2>&1; then wanted+=("libdrm-dev/$suite"); fi
  parts=$(mktemp -d)
  chmod 755 "$parts"
  list_for_suite "$codename" "$suite" >"$parts/rmtrain-backports.list"
  stanzas_for_suite "$codename" "$suite" >"$parts/rmtrain-backports.sources"
  # A third party's repository may use the codename as its suite and have no backports: that failure is not ours.
  apt update -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$parts" -o APT::Get::List-Cleanup=0 2>/dev/null || true
  cp "$apt_folder"/sources.list.d/*.list "$apt_folder"/sources.list.d/*.sources "$parts/" 2>/dev/null || true
  install_packages -o Dir::Etc::SourceParts="$parts" "${wanted[@]}" || status=$?
  rm -rf "$parts"
  return "$status"
}

install_lavapipe() {
  local version codename
  apt update || echo "  apt-get update reported errors; going on with the package lists at hand" >&2
  version=$(mesa_candidate)
  if at_least_minimum "$version"; then
    step "adapter: installing lavapipe (mesa-vulkan-drivers $version)"
    install_packages mesa-vulkan-drivers libvulkan1
    return
  fi
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [ "$codename" = bookworm ]; then
    step "adapter: installing lavapipe from bookworm-backports (Debian's own ${version:-none} is too old for Dawn)"
    install_from_backports "$codename"
    return
  fi
  echo "  This distribution offers mesa-vulkan-drivers ${version:-(none)}; Dawn needs $mesa_minimum or newer." >&2
  return 1
}

# The two lines for a machine where nothing could be installed.
explain_adapter() {
  echo "No WebGPU adapter. Install a Vulkan driver (your GPU's own, or Mesa lavapipe >= $mesa_minimum for the CPU) and the loader, then run bin/setup again:"
  case $(uname -s) in
    Linux)
      if command -v apt-get >/dev/null; then
        echo "  sudo apt-get install libvulkan1 mesa-vulkan-drivers    (Debian 12: sudo apt-get install -t bookworm-backports mesa-vulkan-drivers)"
      elif command -v dnf >/dev/null; then
        echo "  sudo dnf install vulkan-loader mesa-vulkan-drivers"
      elif command -v pacman >/dev/null; then
        echo "  sudo pacman -S vulkan-icd-loader vulkan-swrast"
      elif command -v apk >/dev/null; then
        echo "  Dawn has no build for musl; use a distribution with glibc"
      else
        echo "  the packages are called vulkan-loader and mesa-vulkan-drivers on most distributions"
      fi
      ;;
    *) echo "  on macOS and Windows WebGPU needs no package: update the system or its graphics driver" ;;
  esac
} >&2

ensure_adapter() {
  local name
  if name=$(probe_adapter); then
    step "adapter: $name"
    return
  fi
  if [ "$(uname -s)" = Linux ] && can_install; then
    if has_gpu && ! has_loader; then
      step "adapter: a GPU is present, installing the Vulkan loader (libvulkan1)"
      apt update || true
      install_packages libvulkan1 || true
    fi
    if ! probe_adapter >/dev/null; then install_lavapipe || true; fi
  fi
  if name=$(probe_adapter); then
    step "adapter: $name"
    return
  fi
  explain_adapter
  return 1
}
