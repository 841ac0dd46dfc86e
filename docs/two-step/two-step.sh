#!/usr/bin/env bash
# The two-step way across tenants, from two shells: one tenant asks and shares an id, the other
# accepts, then each adds the routes it wants. Packets are shown at each step.
#
# Needs: a running daemon with a switch, root, curl, jq. Reads PATCHBAY_URL and PATCHBAY_TOKEN (the
# operator's) and the switch's settings: `set -a; . var/up.env; set +a` sets them all.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
netns=$here/../../ovs/netns.sh
api=${PATCHBAY_URL:?}/v1
operator_token=${PATCHBAY_TOKEN:?}
tag=$$

as() { # as TOKEN METHOD PATH [BODY]
  curl -fsS -X "$2" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' \
    ${4:+-d "$4"} "$api$3"
}
operator() { as "$operator_token" "$@"; }
one() { as "$ONE_KEY" "$@"; }
two() { as "$TWO_KEY" "$@"; }
tell() { printf '\n%s\n' "$*"; }

expect_ping() { # expect_ping passes|fails FROM-NAMESPACE ADDRESS
  local seen=fails
  ! ip netns exec "$2" ping -n -c1 -W1 "$3" >/dev/null 2>&1 || seen=passes
  printf '    ping from %s to %-10s %s\n' "$2" "$3" "$seen"
  [ "$seen" = "$1" ] || { echo "    ... it was to be: $1" >&2; exit 1; }
}

until_state() { # until_state ENI KEY: waits until the interface is programmed
  local turn
  for ((turn = 0; turn < 100; turn++)); do
    [ "$(as "$2" GET "/network-interfaces/$1" | jq -r .dataPlane.state)" != programmed ] || return 0
    sleep 0.1
  done
  echo "network interface $1 was not programmed" >&2
  exit 1
}

clean_up() {
  set +e
  [ -z "${PCX:-}" ] || one DELETE "/vpc-peerings/$PCX?wait=10" >/dev/null 2>&1
  for pair in "${WEB:-} ${ONE_KEY:-}" "${DB:-} ${TWO_KEY:-}"; do
    read -r eni key <<<"$pair"
    [ -z "$key" ] || PATCHBAY_TOKEN=$key "$netns" detach "$eni" >/dev/null 2>&1
    [ -z "$key" ] || as "$key" DELETE "/network-interfaces/$eni?force=true" >/dev/null 2>&1
  done
  for pair in "${A_NET:-} ${A:-} ${ONE_KEY:-}" "${B_NET:-} ${B:-} ${TWO_KEY:-}"; do
    read -r subnet vpc key <<<"$pair"
    [ -z "$key" ] || as "$key" DELETE "/subnets/$subnet" >/dev/null 2>&1
    [ -z "$key" ] || as "$key" DELETE "/vpcs/$vpc" >/dev/null 2>&1
  done
}
trap clean_up EXIT

tell "The operator makes two tenants and gives each a key."
ONE=$(operator POST /tenants '{"name":"one"}' | jq -r .id)
TWO=$(operator POST /tenants '{"name":"two"}' | jq -r .id)
ONE_KEY=$(operator POST "/tenants/$ONE/access-keys" '{"roles":["admin"]}' | jq -r .token)
TWO_KEY=$(operator POST "/tenants/$TWO/access-keys" '{"roles":["admin"]}' | jq -r .token)

tell "Each tenant makes a VPC, a subnet and a network interface; a host plugs them in."
A=$(one POST /vpcs '{"cidrBlock":"10.0.0.0/16"}' | jq -r .id)
B=$(two POST /vpcs '{"cidrBlock":"10.1.0.0/16"}' | jq -r .id)
for pair in "$A $ONE_KEY" "$B $TWO_KEY"; do # the default groups let nobody in but themselves
  read -r vpc key <<<"$pair"
  group=$(as "$key" GET "/security-groups?vpcId=$vpc" | jq -r '.items[0].id')
  as "$key" POST "/security-groups/$group/rules" \
    '{"direction":"ingress","protocol":"icmp","fromPort":8,"cidrBlock":"10.0.0.0/8"}' >/dev/null
done
A_NET=$(one POST /subnets "{\"vpcId\":\"$A\",\"cidrBlock\":\"10.0.1.0/24\"}" | jq -r .id)
B_NET=$(two POST /subnets "{\"vpcId\":\"$B\",\"cidrBlock\":\"10.1.1.0/24\"}" | jq -r .id)
WEB=$(one POST /network-interfaces "{\"subnetId\":\"$A_NET\"}" | jq -r .id)
DB=$(two POST /network-interfaces "{\"subnetId\":\"$B_NET\"}" | jq -r .id)
PATCHBAY_TOKEN=$ONE_KEY "$netns" attach "$WEB" "web-$tag" >/dev/null
PATCHBAY_TOKEN=$TWO_KEY "$netns" attach "$DB" "db-$tag" >/dev/null
until_state "$WEB" "$ONE_KEY"
until_state "$DB" "$TWO_KEY"
expect_ping fails "web-$tag" 10.1.1.4

tell "Tenant one, in its shell: asks, without routes, and shares the id with tenant two."
PCX=$(one POST /vpc-peerings "{\"requesterVpcId\":\"$A\",\"accepterVpcId\":\"$B\",\"accepterTenantId\":\"$TWO\",\"autoRoutes\":false}" | jq -r .id)
echo "    $PCX"
expect_ping fails "web-$tag" 10.1.1.4

tell "Tenant two, in its shell: finds the request among those it has received, and accepts."
two GET "/vpc-peerings?role=accepter&state=pending-acceptance" |
  jq -r '.items[] | "    \(.id) from tenant \(.requester.tenantId), \(.requester.cidrBlocks | join(", "))"'
two POST "/vpc-peerings/$PCX/accept?wait=10" '{"autoRoutes":false}' | jq -r '"    \(.state)"'
expect_ping fails "web-$tag" 10.1.1.4

tell "Tenant one adds the route it wants: to a part of tenant two's block. There is no way back yet."
A_ROUTES=$(one GET "/route-tables?vpcId=$A" | jq -r '.items[] | select(.main) | .id')
one POST "/route-tables/$A_ROUTES/routes" "{\"destinationCidrBlock\":\"10.1.1.0/24\",\"vpcPeeringId\":\"$PCX\"}" |
  jq -r '.routes[] | "    \(.destinationCidrBlock) \(.target) \(.state)"'
expect_ping fails "web-$tag" 10.1.1.4

tell "Tenant two adds its route back: now packets pass, both ways."
B_ROUTES=$(two GET "/route-tables?vpcId=$B" | jq -r '.items[] | select(.main) | .id')
two POST "/route-tables/$B_ROUTES/routes" "{\"destinationCidrBlock\":\"10.0.0.0/16\",\"vpcPeeringId\":\"$PCX\"}" |
  jq -r '.routes[] | "    \(.destinationCidrBlock) \(.target) \(.state)"'
for ((turn = 0; turn < 50; turn++)); do
  [ "$(two GET "/route-tables/$B_ROUTES" | jq -r .dataPlane.state)" != programmed ] || break
  sleep 0.1
done
expect_ping passes "web-$tag" 10.1.1.4
expect_ping passes "db-$tag" 10.0.1.4

tell "Tenant two deletes the peering. The routes stay, as blackholes, until their owners delete them."
two DELETE "/vpc-peerings/$PCX?wait=10" | jq -r '"    \(.state)"'
expect_ping fails "web-$tag" 10.1.1.4
one GET "/route-tables/$A_ROUTES" | jq -r '.routes[] | "    \(.destinationCidrBlock) \(.target) \(.state)"'

tell "What tenant one sees of it in its events:"
one GET "/events?limit=1000" |
  jq -r --arg id "$PCX" '.items[] | select(.resource.id == $id) | "    \(.id) \(.action): \(.before // "-") to \(.after // "-")"'
PCX=
tell "As it should be."
