package main

import "sluice/lab"

// configuration is the demo's gateway: a branch that may use the web, DNS, ping and traceroute,
// measure its links, relay echo as streams and do nothing else; not even on the web may it watch
// videos or open the staff's own portal, whatever their addresses are. Sessions over the second WAN
// link leave with the gateway's address. LOG stands for the path of the security log.
const configuration = lab.BaseConfig + `
set security zones security-zone trust application-tracking
set security application-tracking log-session-create
set security application-tracking log-session-close

set security log mode event
set security log file name LOG

set security address-book global address branch-lan 192.0.2.0/25
set security address-book global address branch-lan6 2001:db8:1::/64
set security address-book global address-set branch address branch-lan
set security address-book global address-set branch address branch-lan6
set security address-book global address web-server dns-name www.example.net
set security address-book global address badlands 203.0.113.7/32

set applications application traceroute protocol udp
set applications application traceroute destination-port 33434-33534
set applications application speed-test protocol tcp
set applications application speed-test destination-port 5201
set applications application secret-door protocol tcp
set applications application secret-door destination-port 7001
set applications application echo-stream protocol tcp
set applications application echo-stream destination-port 7
set applications application echo-stream inactivity-timeout 600
set applications application-set diagnostics application junos-icmp-all
set applications application-set diagnostics application junos-icmp6-all
set applications application-set diagnostics application traceroute

set services application-identification application portal description "The staff portal"
set services application-identification application portal priority high
set services application-identification application portal over HTTP signature host member m01 context http-header-host
set services application-identification application portal over HTTP signature host member m01 pattern ^portal\.example\.
set services application-identification application portal over HTTP signature host member m01 direction client-to-server

set security dynamic-application profile told redirect-message type custom-text content "Not from this branch."
set security policies from-zone trust to-zone untrust policy no-video match source-address any
set security policies from-zone trust to-zone untrust policy no-video match destination-address any
set security policies from-zone trust to-zone untrust policy no-video match application any
set security policies from-zone trust to-zone untrust policy no-video match dynamic-application [ junos:YOUTUBE portal ]
set security policies from-zone trust to-zone untrust policy no-video then reject profile told
set security policies from-zone trust to-zone untrust policy no-video then log session-init

set security policies from-zone trust to-zone untrust policy web match source-address branch
set security policies from-zone trust to-zone untrust policy web match destination-address any
set security policies from-zone trust to-zone untrust policy web match application [ junos-http junos-https ]
set security policies from-zone trust to-zone untrust policy web then permit
set security policies from-zone trust to-zone untrust policy web then log session-init session-close
set security policies from-zone trust to-zone untrust policy web then count

set security policies from-zone trust to-zone untrust policy names match source-address branch
set security policies from-zone trust to-zone untrust policy names match destination-address any
set security policies from-zone trust to-zone untrust policy names match application [ junos-dns-udp junos-dns-tcp ]
set security policies from-zone trust to-zone untrust policy names then permit
set security policies from-zone trust to-zone untrust policy names then count

set security policies from-zone trust to-zone untrust policy diagnose match source-address branch
set security policies from-zone trust to-zone untrust policy diagnose match destination-address any
set security policies from-zone trust to-zone untrust policy diagnose match application diagnostics
set security policies from-zone trust to-zone untrust policy diagnose then permit
set security policies from-zone trust to-zone untrust policy diagnose then count

set security policies from-zone trust to-zone untrust policy measure match source-address branch
set security policies from-zone trust to-zone untrust policy measure match destination-address web-server
set security policies from-zone trust to-zone untrust policy measure match application speed-test
set security policies from-zone trust to-zone untrust policy measure then permit
set security policies from-zone trust to-zone untrust policy measure then count

set security policies from-zone trust to-zone untrust policy relay match source-address branch
set security policies from-zone trust to-zone untrust policy relay match destination-address any
set security policies from-zone trust to-zone untrust policy relay match application echo-stream
set security policies from-zone trust to-zone untrust policy relay then permit application-services tcp-proxy
set security policies from-zone trust to-zone untrust policy relay then log session-close
set security policies from-zone trust to-zone untrust policy relay then count

set security policies from-zone trust to-zone untrust policy no-telnet match source-address any
set security policies from-zone trust to-zone untrust policy no-telnet match destination-address any
set security policies from-zone trust to-zone untrust policy no-telnet match application junos-telnet
set security policies from-zone trust to-zone untrust policy no-telnet then reject
set security policies from-zone trust to-zone untrust policy no-telnet then log session-init
set security policies from-zone trust to-zone untrust policy no-telnet then count

set security policies from-zone trust to-zone untrust policy no-badlands match source-address any
set security policies from-zone trust to-zone untrust policy no-badlands match destination-address badlands
set security policies from-zone trust to-zone untrust policy no-badlands match application secret-door
set security policies from-zone trust to-zone untrust policy no-badlands then deny
set security policies from-zone trust to-zone untrust policy no-badlands then log session-init
set security policies from-zone trust to-zone untrust policy no-badlands then count

set security nat source rule-set leave-by-wan1 from zone trust
set security nat source rule-set leave-by-wan1 to interface ge-0/0/2.0
set security nat source rule-set leave-by-wan1 rule hide match source-address 192.0.2.0/25
set security nat source rule-set leave-by-wan1 rule hide then source-nat interface
`
