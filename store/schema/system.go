package schema

import "net/netip"

// System is [edit system].
type System struct {
	HostName string         `cfg:"host-name" help:"Name of this gateway in prompts and logs" pattern:"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?"`
	Services SystemServices `cfg:"services" help:"Services of the gateway itself"`
	Syslog   Syslog         `cfg:"syslog" help:"Where messages of the gateway itself go, such as results of signature updates"`
}

// SystemServices is [edit system services].
type SystemServices struct {
	SSH     *SSHService     `cfg:"ssh" help:"Secure shell, run by the operating system"`
	Metrics *MetricsService `cfg:"metrics" help:"Prometheus metrics over HTTP (/metrics)"`
}

// SSHService is [edit system services ssh]; the operating system runs the server.
type SSHService struct{}

// MetricsService is [edit system services metrics].
type MetricsService struct {
	Address    netip.Addr `cfg:"address" help:"Address to listen on" default:"127.0.0.1"`
	Port       uint16     `cfg:"port" help:"TCP port to listen on" range:"1..65535" default:"9464"`
	TLSProfile string     `cfg:"tls-profile" help:"SSL termination profile by which they are served over HTTPS" ref:"services ssl termination profile"`
}

// Interface is [edit interfaces NAME]: a Linux interface under its own name, or a guide name
// (ge-0/0/1) bound to a Linux interface by device.
type Interface struct {
	Name        string `cfg:"name,key" help:"Interface name, as Linux or the guide spells it (eth1, ge-0/0/1)" pattern:"[A-Za-z][A-Za-z0-9_./:-]*"`
	Description string `cfg:"description" help:"Text about this interface"`
	Device      string `cfg:"device" help:"Linux interface that carries this one" range:"1..15" pattern:"[^/ ]+"`
	Disable     bool   `cfg:"disable" help:"Take the interface down"`
	MTU         uint32 `cfg:"mtu" help:"Maximum transmission unit" unit:"bytes" range:"576..65535"`
	Units       []Unit `cfg:"unit" help:"Logical interface"`
}

// Unit is [edit interfaces NAME unit N]. Unit 0 is the interface itself; another number is a VLAN of that id.
type Unit struct {
	Number      uint16 `cfg:"number,key" help:"Logical unit number" range:"0..4094"`
	Description string `cfg:"description" help:"Text about this logical interface"`
	Family      Family `cfg:"family,joined" help:"Protocol family"`
}

// Family is [edit interfaces NAME unit N family].
type Family struct {
	Inet  *InetFamily `cfg:"inet" help:"IPv4"`
	Inet6 *InetFamily `cfg:"inet6" help:"IPv6"`
}

// InetFamily is [edit interfaces NAME unit N family inet|inet6].
type InetFamily struct {
	Addresses []InterfaceAddress `cfg:"address" help:"Interface address and prefix length"`
	MTU       uint32             `cfg:"mtu" help:"Protocol maximum transmission unit" unit:"bytes" range:"576..65535"`
}

// InterfaceAddress is one address of a logical interface; without a length it is a host address.
type InterfaceAddress struct {
	Prefix    HostPrefix `cfg:"prefix,key" help:"Address with prefix length (192.0.2.1/24)"`
	Primary   bool       `cfg:"primary,inert" help:"Use this address first as source"`
	Preferred bool       `cfg:"preferred,inert" help:"Prefer this address within its subnet"`
}

// RoutingOptions is [edit routing-options].
type RoutingOptions struct {
	Static Static `cfg:"static" help:"Static routes"`
}

// Static is [edit routing-options static].
type Static struct {
	Routes []StaticRoute `cfg:"route,compact" help:"Static route"`
}

// StaticRoute is one static route. Host bits in the destination are ignored, as the guide prints them (10.19.0.0/8).
type StaticRoute struct {
	Destination HostPrefix `cfg:"destination,key" help:"Destination prefix" literal:"default"`
	NextHop     []NextHop  `cfg:"next-hop" help:"Address or interface to send to; several share the load"`
	Discard     bool       `cfg:"discard" help:"Drop packets to this destination silently"`
	Reject      bool       `cfg:"reject" help:"Drop packets to this destination with ICMP unreachable"`
	Metric      uint32     `cfg:"metric" help:"Metric of the route"`
	Preference  uint32     `cfg:"preference,inert" help:"Preference of the route" default:"5"`
}
