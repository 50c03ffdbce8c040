#!/usr/bin/env bash
# testhosts.sh - throw-away "hosts" for trying Ansible playbooks on one machine.
#
# Each host is a systemd-nspawn container with
#   - systemd as PID 1 (own pid/mount/uts/ipc/cgroup namespaces, cgroup v2 inside),
#   - its own network namespace, joined by a veth to one bridge (no route out),
#   - its own root file system: an overlay over one shared Debian base tree,
#   - its own sshd, root login by a key made here.
# Nothing but the bridge is reachable from a host.  Debian and PyPI packages come
# through apt-cacher-ng, run here on the bridge's address only; with TH_PROXY=no
# a host has no packages from outside at all.
#
# The machine itself needs no systemd as PID 1 and no container engine:
#   apt-get install -y --no-install-recommends \
#       systemd-container mmdebstrap openssh-client iproute2 apt-cacher-ng
#
# Usage (root):
#   testhosts.sh up NAME...          make and boot hosts (those that run are left as they are)
#   testhosts.sh list                name, address, state, PID of the host's systemd, memory
#   testhosts.sh inventory           an Ansible inventory of all hosts
#   testhosts.sh exec NAME CMD...    run a command inside, without ssh
#   testhosts.sh cut|join NAME       pull / plug the network cable
#   testhosts.sh kill NAME           power loss: cable and all processes gone at once; the disk stays
#   testhosts.sh crash NAME          as kill, but the address goes on answering (connection refused)
#   testhosts.sh stop NAME           orderly shutdown; the disk stays
#   testhosts.sh freeze|thaw NAME    hang / resume every process of the host
#   testhosts.sh start NAME          boot a killed or stopped host again
#   testhosts.sh wipe NAME           remove one host and its disk
#   testhosts.sh down                remove all hosts, the bridge and the proxy; keep the base tree
#   testhosts.sh purge               down, and remove the base tree and the package cache
set -euo pipefail

TH_DIR=${TH_DIR:-/var/tmp/testhosts}       # everything lives here
TH_NET=${TH_NET:-10.77.0}                  # /24; the machine is .1, hosts from .11 on
TH_BRIDGE=${TH_BRIDGE:-th0}
TH_SUITE=${TH_SUITE:-bookworm}
TH_SOURCES=${TH_SOURCES:-$(ls /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1 || true)}  # where this machine's apt gets Debian
TH_PROXY=${TH_PROXY:-yes}                  # yes: apt-cacher-ng on $TH_NET.1:3142
TH_PKGS=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,python3,python3-apt,python3-venv,sudo,iproute2,iputils-ping,ca-certificates,curl
CG2=/sys/fs/cgroup; [ -d $CG2/unified ] && CG2=/sys/fs/cgroup/unified
CG1=/sys/fs/cgroup/systemd                 # only on a hybrid (v1 + v2) machine

say()  { printf '%s\n' "testhosts: $*" >&2; }
die()  { say "$*"; exit 1; }
names() { for d in "$TH_DIR"/hosts/*/; do [ -d "$d" ] && basename "$d"; done; true; }
ipof() { cat "$TH_DIR/hosts/$1/ip"; }
veth() { printf "%s%s" "$TH_BRIDGE" "-$(cut -d. -f4 "$TH_DIR/hosts/$1/ip")"; }  # at most 15 characters
known() { [ -d "$TH_DIR/hosts/${1:-}" ] && [ -n "${1:-}" ] || die "no host '${1:-}'"; }

# PID (as seen here) of nspawn, and of the host's systemd, its only child.
# The command line is compared, so that a recycled PID is never taken for ours.
nspid() {
  local p; p=$(cat "$TH_DIR/hosts/$1/pid" 2>/dev/null) || return 1
  { tr '\0' ' ' <"/proc/$p/cmdline"; } 2>/dev/null | grep -q -- "--machine=$1 " && echo "$p"
}
leader() { local p; p=$(nspid "$1") && cat "/proc/$p/task/$p/children" | awk '{print $1; exit}' | grep .; }

base() {
  [ -e "$TH_DIR/base/.done" ] && return
  mkdir -p "$TH_DIR"; rm -rf "$TH_DIR/base"
  say "making the base tree (once)"
  mmdebstrap --quiet --variant=minbase --mode=root --include="$TH_PKGS" \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    "$TH_SUITE" "$TH_DIR/base" "$TH_SOURCES"
  local b=$TH_DIR/base
  # What this machine trusts and how its apt is set up go along.
  cp -a /etc/ssl/certs/ca-certificates.crt "$b/etc/ssl/certs/ca-certificates.crt"
  cp /etc/apt/apt.conf.d/99* "$b/etc/apt/apt.conf.d/" 2>/dev/null || true
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ntimeout = 180\n' >"$b/etc/pip.conf"
  if [ "$TH_PROXY" = yes ]; then
    # Of several that ask it for the same list at once one may never be answered; who asks again is.
    printf 'Acquire::http::Proxy "http://%s.1:3142";\nAcquire::http::Timeout "20";\nAcquire::Retries "5";\n' "$TH_NET" \
      >"$b/etc/apt/apt.conf.d/80testhosts"
    echo "proxy = http://$TH_NET.1:3142" >>"$b/etc/pip.conf"
  fi
  [ -f "$TH_DIR/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C testhosts -f "$TH_DIR/id_ed25519"
  install -d -m 700 "$b/root/.ssh"
  install -m 600 "$TH_DIR/id_ed25519.pub" "$b/root/.ssh/authorized_keys"
  rm -f "$b"/etc/ssh/ssh_host_*_key* "$b/etc/machine-id" "$b/etc/resolv.conf" "$b/usr/sbin/policy-rc.d"
  : >"$b/etc/machine-id"
  # Addresses are set from outside; nothing inside may wait for the network.
  for u in systemd-networkd.service systemd-networkd-wait-online.service systemd-resolved.service; do
    ln -sf /dev/null "$b/etc/systemd/system/$u"
  done
  touch "$b/.done"
}

net() {
  ip link show "$TH_BRIDGE" >/dev/null 2>&1 && return
  # Should the bridge vanish, packets for the hosts must not leave by the default route.
  ip route replace blackhole "$TH_NET.0/24" metric 4000
  ip link add "$TH_BRIDGE" type bridge
  ip addr add "$TH_NET.1/24" dev "$TH_BRIDGE"
  ip link set "$TH_BRIDGE" up
}

proxy() {
  [ "$TH_PROXY" = yes ] || return 0
  local f=$TH_DIR/acng p; p=$(cat "$f/pid" 2>/dev/null || true)
  [ -n "$p" ] && grep -q apt-cacher-ng "/proc/$p/cmdline" 2>/dev/null && return
  mkdir -p "$f"/{cache,log,conf}
  # A configuration of our own, without Debian's Remap lines: their list of
  # back ends may be empty, and then apt gets 503 or hangs.
  cat >"$f/conf/acng.conf" <<-END
	SupportDir: /usr/lib/apt-cacher-ng
	CacheDir: $f/cache
	LogDir: $f/log
	SocketPath: $f/sock
	BindAddress: $TH_NET.1
	Port: 3142
	ForeGround: 1
	ExThreshold: 30
	PassThroughPattern: :443\$
	END
  chown -R apt-cacher-ng: "$f"
  setsid setpriv --reuid apt-cacher-ng --regid apt-cacher-ng --clear-groups \
    apt-cacher-ng -c "$f/conf" </dev/null >"$f/log/out" 2>&1 &
  echo $! >"$f/pid"
}

boot() {
  local n=$1 d=$TH_DIR/hosts/$1 p
  if nspid "$n" >/dev/null; then return; fi
  mountpoint -q "$d/root" ||
    mount -t overlay "$TH_BRIDGE-$n" -o "lowerdir=$TH_DIR/base,upperdir=$d/upper,workdir=$d/work" "$d/root"
  # network namespace + veth
  if [ ! -e "/run/netns/$TH_BRIDGE-$n" ]; then
    local v; v=$(veth "$n")
    ip link del "$v" 2>/dev/null || true
    ip netns add "$TH_BRIDGE-$n"
    ip link add "$v" type veth peer name eth0 netns "$TH_BRIDGE-$n"
    ip link set "$v" master "$TH_BRIDGE" up
    ip -n "$TH_BRIDGE-$n" link set lo up
    ip -n "$TH_BRIDGE-$n" addr add "$(ipof "$n")/24" dev eth0
    ip -n "$TH_BRIDGE-$n" link set eth0 up
  fi
  ip link set "$(veth "$n")" up
  # A cgroup of its own: without a systemd here, nspawn uses the one it is started in.
  mkdir -p "$CG2/$TH_BRIDGE-$n"; [ -d "$CG1" ] && mkdir -p "$CG1/$TH_BRIDGE-$n"
  # shellcheck disable=SC2016
  CG="$CG2/$TH_BRIDGE-$n" CG1="$CG1/$TH_BRIDGE-$n" SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 \
  setsid bash -c '
    echo $$ >"$CG/cgroup.procs"; [ -d "$CG1" ] && echo $$ >"$CG1/cgroup.procs"
    exec systemd-nspawn "$@"' nspawn \
    --quiet --boot --keep-unit --register=no --machine="$n" --directory="$d/root" \
    --network-namespace-path="/run/netns/$TH_BRIDGE-$n" --resolv-conf=off --timezone=off \
    --capability=CAP_NET_ADMIN --link-journal=no --console=pipe </dev/null >>"$d/console.log" 2>&1 &
  p=$!; echo "$p" >"$d/pid"; disown "$p" 2>/dev/null || true
}

wait_up() {   # until ssh answers
  local n i
  for n in "$@"; do
    for i in $(seq 1 150); do
      (exec 3<>"/dev/tcp/$(ipof "$n")/22") 2>/dev/null && break
      nspid "$n" >/dev/null || die "$n died; see $TH_DIR/hosts/$n/console.log"
      [ "$i" = 150 ] && die "$n: no ssh after 30 s; see $TH_DIR/hosts/$n/console.log"
      sleep 0.2
    done
  done
}

# Every host and the machine's own ssh know all hosts by name.
hosts_files() {
  local n all=""
  for n in $(names); do all+="$(ipof "$n") $n"$'\n'; done
  for n in $(names); do
    local up=$TH_DIR/hosts/$n/root
    mountpoint -q "$up" || continue
    printf '127.0.0.1 localhost\n::1 localhost\n%s' "$all" >"$up/etc/hosts"
  done
  {
    for n in $(names); do
      printf 'Host %s\n  HostName %s\n' "$n" "$(ipof "$n")"
    done
    printf 'Host *\n  User root\n  IdentityFile %s\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n' "$TH_DIR/id_ed25519"
  } >"$TH_DIR/ssh_config"
}

up() {
  [ $# -gt 0 ] || die "up: which names?"
  base; net; proxy
  local n
  for n in "$@"; do
    [[ $n =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "bad name '$n'"
    local d=$TH_DIR/hosts/$n
    if [ ! -d "$d" ]; then
      local k=11; while grep -qsx "$TH_NET.$k" "$TH_DIR"/hosts/*/ip; do k=$((k + 1)); done
      mkdir -p "$d"/{upper,work,root}; echo "$TH_NET.$k" >"$d/ip"
      mkdir -p "$d/upper/etc/ssh"; echo "$n" >"$d/upper/etc/hostname"
      ssh-keygen -q -t ed25519 -N '' -C "$n" -f "$d/upper/etc/ssh/ssh_host_ed25519_key"
      # There is no DNS on the bridge; names come from /etc/hosts.
      : >"$d/upper/etc/resolv.conf"
    fi
    boot "$n"
  done
  hosts_files; wait_up "$@"
}

gone() { local i; for i in $(seq 1 150); do nspid "$1" >/dev/null || return 0; sleep 0.2; done; return 1; }
rmcg() { local c; for c in "$CG2/$TH_BRIDGE-$1" "$CG1/$TH_BRIDGE-$1"; do
           [ -d "$c" ] && find "$c" -depth -type d -exec rmdir {} + 2>/dev/null; done; true; }
# SIGKILL to the host's PID 1 takes its whole pid namespace down, as a power cut would.
poweroff_hard() { local l; if l=$(leader "$1"); then kill -KILL "$l"; gone "$1" || die "$1 would not die"; fi; rmcg "$1"; }
poweroff_soft() { local l; if l=$(leader "$1"); then kill -RTMIN+4 "$l"; gone "$1" || poweroff_hard "$1"; fi; rmcg "$1"; }

wipe() {
  local n=$1 d=$TH_DIR/hosts/$1
  thaw "$n" 2>/dev/null || true
  poweroff_hard "$n"
  [ -e "/run/netns/$TH_BRIDGE-$n" ] && ip netns del "$TH_BRIDGE-$n"
  ip link del "$(veth "$n")" 2>/dev/null || true
  mountpoint -q "$d/root" && umount "$d/root"
  rm -rf "$d"
}
freeze() { echo 1 >"$CG2/$TH_BRIDGE-$1/cgroup.freeze"; }
thaw()   { echo 0 >"$CG2/$TH_BRIDGE-$1/cgroup.freeze"; }

down() {
  local n p; for n in $(names); do wipe "$n"; done
  p=$(cat "$TH_DIR/acng/pid" 2>/dev/null || true)
  if [ -n "$p" ] && grep -q apt-cacher-ng "/proc/$p/cmdline" 2>/dev/null; then kill "$p"; fi
  rm -f "$TH_DIR/acng/pid" "$TH_DIR/ssh_config"
  ip link del "$TH_BRIDGE" 2>/dev/null || true
  ip route del blackhole "$TH_NET.0/24" metric 4000 2>/dev/null || true
}

mem() { local l; l=$(leader "$1") || { echo 0; return; }
  # PSS of all processes of the host's pid namespace, in MiB
  local ns p s=0; ns=$(readlink "/proc/$l/ns/pid")
  for p in /proc/[0-9]*; do
    [ "$(readlink "$p/ns/pid" 2>/dev/null)" = "$ns" ] &&
      s=$((s + $(awk '/^Pss:/{print $2}' "$p/smaps_rollup" 2>/dev/null || echo 0)))
  done; echo $((s / 1024)); }

[ "$(id -u)" = 0 ] || die "must be root"
cmd=${1:-}; shift || true
case $cmd in
  up)     up "$@" ;;
  list)   for n in $(names); do printf '%-12s %-12s %-8s %-7s %s MiB\n' "$n" "$(ipof "$n")" \
            "$(nspid "$n" >/dev/null && echo running || echo off)" "$(leader "$n" || echo -)" "$(mem "$n")"; done ;;
  inventory) for n in $(names); do
            echo "$n ansible_host=$(ipof "$n") ansible_user=root ansible_ssh_private_key_file=$TH_DIR/id_ed25519 ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-F $TH_DIR/ssh_config'"; done ;;
  exec)   known "$1"; l=$(leader "$1") || die "$1 is off"; shift
          exec nsenter -t "$l" -m -u -i -n -p -C -r -w -- env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" ;;
  cut)    known "$1"; ip link set "$(veth "$1")" down ;;
  join)   known "$1"; ip link set "$(veth "$1")" up ;;
  kill)   known "$1"; ip link set "$(veth "$1")" down; poweroff_hard "$1" ;;
  crash)  known "$1"; poweroff_hard "$1" ;;
  stop)   known "$1"; poweroff_soft "$1" ;;
  start)  known "$1"; boot "$1"; hosts_files; wait_up "$1" ;;
  freeze) known "$1"; freeze "$1" ;;
  thaw)   known "$1"; thaw "$1" ;;
  wipe)   known "$1"; wipe "$1"; hosts_files ;;
  down)   down ;;
  purge)  down; rm -rf --one-file-system "$TH_DIR" ;;
  *)      sed -n '/^# Usage/,/^set -e/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
