#!/bin/bash
# `npm run up` on the system's Open vSwitch, and the demonstration.
here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=checks.sh
. "$here/checks.sh"
unset PATCHBAY_SANDBOX_DATAPATH

# With --no-monitor there is no second process of each, as under systemd.
start_open_vswitch() { /usr/share/openvswitch/scripts/ovs-ctl --no-monitor --system-id=random --no-record-hostname start; }
is_up() { [ -e var/up.env ] && . var/up.env && curl -fsS -m 3 "$PATCHBAY_URL/readyz" >/dev/null 2>&1; }

check "Open vSwitch starts" start_open_vswitch
npm run up >var-up.log 2>&1 &
check "npm run up is ready" soon 90 is_up
check "it uses the kernel datapath" grep -q "the system's Open vSwitch (kernel datapath)" var-up.log
check "npm run demo shows what it should" npm run -s demo
kill -INT %1
check "it stops" wait %1
[ "$failed" = 0 ] || tail -n 20 var-up.log
exit "$failed"
