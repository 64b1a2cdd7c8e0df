package lab

// BaseConfig is what every gateway configuration of the lab begins with, as set statements: the
// interfaces under the guide's names (ge-0/0/0 lan0, ge-0/0/1 wan0, ge-0/0/2 wan1, ge-0/0/3 gst0),
// the zones trust, guest and untrust, and a route over each WAN link. Policies are the caller's;
// without any, nothing passes.
const BaseConfig = `
set system host-name branch

set interfaces ge-0/0/0 device lan0
set interfaces ge-0/0/0 unit 0 family inet address ` + LAN4 + `/25
set interfaces ge-0/0/0 unit 0 family inet6 address ` + LAN6 + `/64
set interfaces ge-0/0/1 device wan0
set interfaces ge-0/0/1 unit 0 family inet address ` + WAN0Gateway4 + `/30
set interfaces ge-0/0/1 unit 0 family inet6 address ` + WAN0Gateway6 + `/64
set interfaces ge-0/0/2 device wan1
set interfaces ge-0/0/2 unit 0 family inet address ` + WAN1Gateway4 + `/30
set interfaces ge-0/0/2 unit 0 family inet6 address ` + WAN1Gateway6 + `/64
set interfaces ge-0/0/3 device gst0
set interfaces ge-0/0/3 unit 0 family inet address ` + Guest4 + `/25
set interfaces ge-0/0/3 unit 0 family inet6 address ` + Guest6 + `/64

set routing-options static route 0.0.0.0/0 next-hop ` + WAN0ISP4 + `
set routing-options static route ::/0 next-hop ` + WAN0ISP6 + `
set routing-options static route 203.0.113.128/25 next-hop ` + WAN1ISP4 + `
set routing-options static route 2001:db8:f:1::/64 next-hop ` + WAN1ISP6 + `

set security zones security-zone trust interfaces ge-0/0/0.0
set security zones security-zone trust host-inbound-traffic system-services ping
set security zones security-zone guest interfaces ge-0/0/3.0
set security zones security-zone untrust interfaces ge-0/0/1.0
set security zones security-zone untrust interfaces ge-0/0/2.0
`

// PermitAll lets everything pass from the trust zone to the untrust zone, logged and counted.
const PermitAll = `
set security policies from-zone trust to-zone untrust policy all match source-address any
set security policies from-zone trust to-zone untrust policy all match destination-address any
set security policies from-zone trust to-zone untrust policy all match application any
set security policies from-zone trust to-zone untrust policy all then permit
set security policies from-zone trust to-zone untrust policy all then log session-init
set security policies from-zone trust to-zone untrust policy all then log session-close
set security policies from-zone trust to-zone untrust policy all then count
`
