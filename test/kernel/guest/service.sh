#!/bin/bash
# The daemon as a service of systemd on the system's Open vSwitch, before and after a reboot.
here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=checks.sh
. "$here/checks.sh"

HOME_OF_SERVICE=/opt/patchbay
IDS=/var/lib/patchbay-check
REBOOT=85
URL=http://127.0.0.1:8080

# The tree that the unit's own head describes: what is built, and the production packages.
install_service() {
  local packages
  mkdir -p "$HOME_OF_SERVICE"
  packages=$(npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s|^$PWD/||p")
  cp -a --parents package.json README.md dist prisma ovs $packages "$HOME_OF_SERVICE/"
  cp ovs/patchbay.service /etc/systemd/system/
  systemctl daemon-reload
}

ready() { curl -fsS -m 3 "$URL/readyz" >/dev/null 2>&1; }
property() { systemctl show patchbay --value -p "$1"; }
pid() { property MainPID; }

call() {
  local token=$1
  shift
  curl -sS --fail-with-body -m 40 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"
}

# make PATH BODY: the id of what the tenant makes.
make() { call "$KEY" "$URL/v1/$1" -d "$2" | jq -re .id; }

make_network() {
  local operator tenant name block each
  operator=$(cat /var/lib/patchbay/operator-token)
  tenant=$(call "$operator" "$URL/v1/tenants" -d '{"name":"one"}' | jq -re .id)
  KEY=$(call "$operator" "$URL/v1/tenants/$tenant/access-keys" -d '{"roles":["admin"]}' | jq -re .token)
  for name in A B; do
    [ "$name" = A ] && block=10.0 || block=10.1
    each=$(make vpcs "{\"name\":\"$name\",\"cidrBlock\":\"$block.0.0/16\"}")
    printf -v "$name" %s "$each"
    call "$KEY" "$URL/v1/security-groups/$(group_of "$each")/rules" \
      -d '{"direction":"ingress","protocol":"icmp","fromPort":8,"cidrBlock":"10.0.0.0/8"}' >/dev/null
    each=$(make subnets "{\"vpcId\":\"$each\",\"cidrBlock\":\"$block.1.0/24\"}")
    printf -v "E$name" %s "$(make network-interfaces "{\"subnetId\":\"$each\"}")"
  done
  P=$(make vpc-peerings "{\"requesterVpcId\":\"$A\",\"accepterVpcId\":\"$B\"}")
  umask 077
  declare -p KEY A B EA EB P >"$IDS"
}

group_of() { call "$KEY" "$URL/v1/security-groups?vpcId=$1" | jq -re '.items[0].id'; }
plug_in() {
  PATCHBAY_TOKEN=$KEY ovs/netns.sh attach "$EA" web && PATCHBAY_TOKEN=$KEY ovs/netns.sh attach "$EB" db
}
unplug() { PATCHBAY_TOKEN=$KEY ovs/netns.sh detach "$EA" && PATCHBAY_TOKEN=$KEY ovs/netns.sh detach "$EB"; }
passes() { ip netns exec web ping -c1 -W1 10.1.1.4 >/dev/null; }
accept() { is "$(call "$KEY" -X POST "$URL/v1/vpc-peerings/$P/accept?wait=20" | jq -r .state)" active; }
end_peering() { is "$(call "$KEY" -X DELETE "$URL/v1/vpc-peerings/$P?wait=20" | jq -r .state)" deleted; }
peering_is_programmed() {
  is "$(call "$KEY" "$URL/v1/vpc-peerings/$P" | jq -r '.state + " " + .dataPlane.state')" "active programmed"
}
uses_kernel_datapath() {
  is "$(ovs-vsctl list-br | while read -r each; do ovs-vsctl get Bridge "$each" datapath_type; done | sort -u)" system
  ovs-appctl dpctl/dump-dps | grep -qx 'system@ovs-system'
}
all_pings_answered() {
  is "$(ip netns exec web ping -q -i 0.05 -c "$1" -W1 10.1.1.4 | sed -n 's/.*, \([0-9]*\) received.*/\1/p')" "$1"
}

is_another_than() { [ "$(pid)" != 0 ] && [ "$(pid)" != "$1" ]; }

restarts_after_a_crash() {
  local before
  before=$(pid)
  kill -KILL "$before"
  soon 30 is_another_than "$before" && soon 240 ready
}

takes_a_reload() {
  local before
  before=$(pid)
  systemctl reload patchbay && ready && is "$(pid)" "$before"
}

stops_cleanly() {
  systemctl stop patchbay && is "$(property Result) $(property ExecMainStatus)" "success 0"
}

# As docs/datapaths.md says: without it nothing passes after a reboot that is quick.
install_uptime_condition() {
  install -D -m 644 ovs/ovs-vswitchd-uptime.conf /etc/systemd/system/ovs-vswitchd.service.d/uptime.conf
  systemctl daemon-reload
}

before_the_reboot() {
  install_uptime_condition
  systemctl enable --now openvswitch-switch
  check "Open vSwitch's service runs" systemctl is-active ovs-vswitchd ovsdb-server
  check "the release is installed" install_service
  check "the service starts" systemctl enable --now patchbay
  check "it is ready" soon 240 ready
  check "two VPCs are made" make_network
  [ -r "$IDS" ] || exit 1
  # shellcheck source=/dev/null
  . "$IDS"
  check "workloads are plugged in" plug_in
  check "bridges have the kernel datapath" uses_kernel_datapath
  check "nothing passes yet" not passes
  check "the peering is accepted" accept
  check "then it passes" passes
  check "a reload leaves the process" takes_a_reload
  check "killed, it is started again" restarts_after_a_crash
  check "it stops cleanly" stops_cleanly
  check "stopped, all still passes" all_pings_answered 40
  check "and it starts again" systemctl start patchbay
  check "ready" soon 240 ready
  check "no packet is lost with it there" all_pings_answered 40
  check "Open vSwitch's service restarts" systemctl restart openvswitch-switch
  check "then it passes again" soon 30 passes
  systemd-analyze security patchbay --no-pager | tail -n 1
  [ "$failed" = 0 ] || exit 1
  exit "$REBOOT"
}

after_the_reboot() {
  # shellcheck source=/dev/null
  . "$IDS"
  check "after a reboot it is ready by itself" soon 240 ready
  check "Open vSwitch's service too" systemctl is-active ovs-vswitchd ovsdb-server
  check "the peering is in force" soon 30 peering_is_programmed
  check "ports without devices are unplugged" unplug
  check "workloads are plugged in anew" plug_in
  check "it passes" soon 10 passes
  check "bridges have the kernel datapath" uses_kernel_datapath
  check "the peering is deleted" end_peering
  check "then nothing passes" not passes
  check "no unit has failed" is "$(systemctl list-units --failed --no-legend patchbay ovs-vswitchd ovsdb-server)" ""
  [ "$failed" = 0 ] || journalctl -u patchbay -b --no-pager | tail -n 30
  exit "$failed"
}

if [ -e "$IDS" ]; then after_the_reboot; else before_the_reboot; fi
