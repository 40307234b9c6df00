#!/usr/bin/env bash
# Runs a statically linked x86-64 Linux program on an emulated AVX-512 CPU, for
# machines whose own CPU has no AVX-512.
#
# The Bochs PC emulator boots a Debian kernel with an initramfs that holds only
# busybox and the program. The program's output is streamed to standard output
# and its exit code becomes the exit code of this script.
#
# Run with --help for the options, with --need once to install what it uses.

set -euo pipefail

readonly packages=(bochs bochs-term bochsbios vgabios isolinux syslinux-common xorriso cpio)
readonly default_cpu=corei7_icelake_u

usage() {
  cat <<USAGE
usage: tests/emulate_avx512.sh [OPTION...] BINARY [ARGUMENT...]
       tests/emulate_avx512.sh --need

Runs the static x86-64 Linux program BINARY on an emulated CPU with AVX-512
(F, BW, DQ, VL, CD, VBMI, VBMI2, IFMA, VNNI, VPOPCNTDQ, BITALG).

  --need           install the Debian packages needed (root or sudo) and fetch
                   the kernel into the cache folder, then stop
  --time SECONDS   hard limit on the whole run, boot included (default 600)
  --memory MIB     memory of the emulated PC, 256 to 2048 (default 1024)
  --cpu MODEL      Bochs CPU model (default $default_cpu; corei7_skylake_x has
                   AVX-512 without VNNI, VPOPCNTDQ and BITALG; corei7_haswell_4770
                   has AVX2 only)
  --env NAME[=VALUE]  set NAME in the program's environment (no value: as here)
  --console FILE   keep the kernel's console output in FILE

The emulated PC has one CPU and no network; the program starts in an empty /tmp
(in memory), without input, and its two outputs come as one. Expect about 12 s
of CPU time for the boot, then some 50 million instructions a second, or 4
million 512-bit multiply-adds. The program's clock runs some 30 times slower
than the wall's, so measure no time and expect no time-outs in there. Bochs 2.7
computes vpconflictd and vpconflictq wrongly.

Exit code: the program's; 128+N when signal N ended it; 124 when the time ran
out; 125 when the emulator or its kernel failed; 2 for a wrong call or when
something is missing.

Working files: \${XDG_CACHE_HOME:-\$HOME/.cache}/vecdb-emulate
USAGE
}

fail() { # CODE MESSAGE
  printf 'emulate_avx512: %s\n' "$2" >&2
  exit "$1"
}

is_number() { [[ $1 =~ ^[1-9][0-9]{0,8}$ ]]; }

need=0 limit=600 memory=1024 cpu=$default_cpu console='' environment=()
while (($#)); do
  case $1 in
    --need) need=1 ;;
    --time | --memory | --cpu | --env | --console)
      (($# >= 2)) || fail 2 "$1 needs a value"
      case $1 in
        --time) limit=$2 ;;
        --memory) memory=$2 ;;
        --cpu) cpu=$2 ;;
        --console) console=$2 ;;
        --env)
          if [[ $2 == *=* ]]; then
            environment+=("$2")
          else
            [[ -v $2 ]] || fail 2 "--env: $2 is not set here"
            environment+=("$2=${!2}")
          fi
          ;;
      esac
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      break
      ;;
    -*) fail 2 "unknown option $1 (see --help)" ;;
    *) break ;;
  esac
  shift
done
is_number "$limit" || fail 2 "--time: not a number of seconds: $limit"
is_number "$memory" || fail 2 "--memory: not a number of MiB: $memory"
((memory >= 256 && memory <= 2048)) || fail 2 "--memory: must be 256 to 2048 MiB"
[[ $cpu =~ ^[a-z0-9_]+$ ]] || fail 2 "--cpu: not a CPU model: $cpu"

cache_root=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
[[ $cache_root == /* ]] || fail 2 "set HOME or XDG_CACHE_HOME to an absolute path"
readonly cache=$cache_root/vecdb-emulate

work=''
children=()
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  local child
  {
    for child in "${children[@]}"; do kill -KILL "$child" || true; done
    ((${#children[@]} == 0)) || wait "${children[@]}" || true
  } 2>/dev/null
  [[ -z $work ]] || rm -rf -- "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

new_work_folder() {
  mkdir -p -- "$cache" 2>/dev/null || fail 2 "cannot make the folder $cache"
  [[ -n $work ]] || work=$(mktemp -d "$cache/run.XXXXXXXX") || fail 2 "cannot write in $cache"
}

# --- What a run needs ---------------------------------------------------------

find_tools() {
  local file
  bochs=$(command -v bochs-bin || command -v bochs) ||
    fail 2 "bochs is not installed; run tests/emulate_avx512.sh --need"
  for tool in xorriso cpio mkfifo; do
    command -v "$tool" >/dev/null ||
      fail 2 "$tool is not installed; run tests/emulate_avx512.sh --need"
  done
  bios=/usr/share/bochs/BIOS-bochs-latest
  vgabios=/usr/share/bochs/VGABIOS-lgpl-latest
  isolinux=/usr/lib/ISOLINUX/isolinux.bin
  ldlinux=/usr/lib/syslinux/modules/bios/ldlinux.c32
  for file in "$bios" "$vgabios" "$isolinux" "$ldlinux"; do
    [[ -r $file ]] || fail 2 "$file is missing; run tests/emulate_avx512.sh --need"
  done
}

# Takes one file out of a Debian package, without installing the package.
fetch_from_package() { # PACKAGE PATTERN TARGET
  local folder=$work/fetch
  rm -rf -- "$folder"
  mkdir -- "$folder"
  (
    cd -- "$folder"
    apt-get -qq -o APT::Sandbox::User=root download "$1" >log 2>&1 || exit 1
    dpkg-deb --fsys-tarfile ./*.deb | tar -xf - --wildcards -O "$2" >file
    [[ -s file ]]
  ) || fail 2 "cannot fetch the Debian package $1 (apt-get update?); see --need"
  chmod 644 "$folder/file"
  mv -f -- "$folder/file" "$3"
}

prepare_cache() {
  local image
  if [[ ! -s $cache/busybox || ! -s $cache/vmlinuz ]]; then
    for tool in apt-get apt-cache dpkg-deb; do
      command -v "$tool" >/dev/null || fail 2 "$tool is needed to fetch the kernel"
    done
  fi
  if [[ ! -s $cache/busybox ]]; then
    new_work_folder
    fetch_from_package busybox-static './bin/busybox' "$cache/busybox"
  fi
  if [[ ! -s $cache/vmlinuz ]]; then
    new_work_folder
    image=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
      sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
    [[ -n $image ]] ||
      fail 2 "no Debian package linux-image-cloud-amd64 (apt-get update?); see --need"
    fetch_from_package "$image" './boot/vmlinuz-*' "$cache/vmlinuz"
  fi
}

if ((need)); then
  (($# == 0)) || fail 2 "--need takes no program"
  command -v apt-get >/dev/null || fail 2 "--need works with apt-get only"
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail 2 "--need must run as root or have sudo"
    as_root=(sudo)
  fi
  missing=()
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] ||
      missing+=("$package")
  done
  if ((${#missing[@]})) || [[ ! -s $cache/vmlinuz || ! -s $cache/busybox ]]; then
    "${as_root[@]}" apt-get -qq update || fail 2 "apt-get update failed"
  fi
  if ((${#missing[@]})); then
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
      fail 2 "apt-get could not install: ${missing[*]}"
  fi
  find_tools
  prepare_cache
  exit 0
fi

(($# >= 1)) || fail 2 "no program given (see --help)"
binary=$1
shift
[[ -f $binary && -r $binary ]] || fail 2 "no such file: $binary"
# ELF, 64 bits, x86-64; and no program interpreter, which a dynamic one names.
[[ $(od -An -tx1 -N20 -- "$binary" | tr -d ' \n') == 7f454c4602*3e00 ]] ||
  fail 2 "not an x86-64 ELF program: $binary"
if command -v readelf >/dev/null && LC_ALL=C readelf -lW -- "$binary" 2>/dev/null | grep -q ' INTERP '; then
  fail 2 "not statically linked (link it with -static): $binary"
fi
if [[ -n $console ]]; then
  : 2>/dev/null >"$console" || fail 2 "--console: cannot write $console"
  console=$(readlink -f -- "$console")
fi

find_tools
prepare_cache
new_work_folder

# --- The emulated PC's disk ---------------------------------------------------

quoted() { printf "'%s' " "${@//\'/\'\\\'\'}"; }

name=${binary##*/}
root=$work/root
mkdir -p -- "$root"/{bin,dev,proc,run,sys,tmp} "$work/cd"
cp -- "$cache/busybox" "$root/bin/busybox"
cp -- "$binary" "$root/run/$name"
chmod 755 "$root/bin/busybox" "$root/run/$name"

# The kernel's console is the first serial port, which also takes the exit
# code; the second one carries the program's output and nothing else. A shell
# that has the port open keeps its settings; its close waits until all is sent.
{
  cat <<'INIT'
#!/bin/busybox sh
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t tmpfs tmp /tmp
cd /tmp
exec 3>/dev/ttyS1
$B stty -F /dev/ttyS1 115200 raw -echo
$B ln -s /proc/self/fd /dev/fd
INIT
  printf '/bin/busybox env -i '
  quoted PATH=/bin HOME=/tmp TMPDIR=/tmp TERM=dumb "${environment[@]}" "/run/$name" "$@"
  cat <<'INIT'
</dev/null >&3 2>&3 3>&-
code=$?
exec 3>&-
echo
echo "emulated-exit-code=$code."
$B reboot -f
INIT
} >"$root/init"
chmod 755 "$root/init"
(cd -- "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/cd/initrd"
rm -rf -- "$root"
cp -- "$cache/vmlinuz" "$isolinux" "$ldlinux" "$work/cd/"

# clearcpuid hides four features from the kernel, though not from the program.
# Bochs 2.7 reports no size for the protection keys' state (pku) and a wrong one
# for compacted state (xsavec, xsaves): left on, the kernel gives up XSAVE and
# with it AVX-512. It also switches off fast string moves (erms) but not short
# ones (fsrm), a mix that breaks the kernel's memmove.
# A panic and the reboot both end in a triple fault, on which Bochs stops.
kernel_options="console=ttyS0,115200 quiet panic=-1 reboot=triple"
kernel_options+=" clearcpuid=515,321,323,580" # pku, xsavec, xsaves, fsrm
# The rest is for speed.
kernel_options+=" nokaslr mitigations=off lsm= audit=0 init_on_alloc=0 cryptomgr.notests"
kernel_options+=" initcall_blacklist=load_system_certificate_list"
cat >"$work/cd/isolinux.cfg" <<CONFIG
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL vmlinuz
  INITRD initrd
  APPEND $kernel_options
CONFIG
xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux.bin -c boot.cat \
  -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd" >"$work/iso.log" 2>&1 ||
  fail 125 "xorriso could not make the boot image: $(tail -n 1 "$work/iso.log")"
rm -rf -- "$work/cd"

# --- The run ------------------------------------------------------------------

# ips only sets how long the devices' delays last, in emulated instructions;
# the programs' clock is the emulated CPU's own.
cat >"$work/bochsrc" <<CONFIG
cpu: model=$cpu, count=1, ips=4000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=$memory, host=$memory
romimage: file="$bios"
vgaromimage: file="$vgabios"
display_library: term
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=com1
com2: enabled=1, mode=file, dev=output
clock: sync=none, time0=utc
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
CONFIG
bochs_options=(-q -f bochsrc)
# A Bochs with the debugger in it waits for a command: tell it to continue.
bochs_help=$("$bochs" --help 2>&1 || true)
if [[ $bochs_help == *'-rc '* ]]; then
  echo c >"$work/start"
  bochs_options+=(-rc start)
fi
: >"$work/com1"
mkfifo -- "$work/output"

cd -- "$work"
# Held open here so that neither end waits for the other; closed below, so that
# the reader sees the end.
exec 3<>output
cat <output 3>&- &
reader=$!
TERM=vt100 "$bochs" "${bochs_options[@]}" </dev/null >screen 2>messages 3>&- &
emulator=$!
children=("$emulator" "$reader")

stopped=''
end=$((SECONDS + limit))
while kill -0 "$emulator" 2>/dev/null; do
  if ((SECONDS >= end)); then
    stopped='time'
  elif ! kill -0 "$reader" 2>/dev/null; then
    stopped='reader'
  fi
  if [[ -n $stopped ]]; then
    kill -KILL "$emulator" 2>/dev/null || true
    break
  fi
  sleep 0.2
done 3>&-
{ wait "$emulator" || true; } 2>/dev/null
exec 3>&-
{ wait "$reader" || true; } 2>/dev/null
children=()

tr -d '\r' <com1 >boot.log
[[ -z $console ]] || cat boot.log >"$console"
code=$(sed -n 's/^emulated-exit-code=\([0-9]*\)\.$/\1/p' boot.log | tail -n 1)
if [[ -n $code ]]; then
  ((code <= 128)) || printf 'emulate_avx512: signal %d (%s) ended the program\n' \
    $((code - 128)) "$(kill -l $((code - 128)) 2>/dev/null || echo unknown)" >&2
  exit "$code"
fi
[[ $stopped != time ]] || fail 124 "the time limit of $limit s ran out"
[[ $stopped != reader ]] || fail 125 "nobody reads the output any more"
reason=$(grep -h -a -m 1 -E 'Kernel panic' boot.log ||
  grep -h -a -E 'PANIC|malformed|rror' bochs.log messages screen 2>/dev/null | tail -n 1 || true)
fail 125 "the emulated PC stopped before the program's end: $(printf '%s' "${reason:-no reason given}" | tr -d '\r')"
