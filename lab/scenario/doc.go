// Package scenario tests the gateway as its users meet it: real clients and servers in a lab, a
// configuration in set statements, and what can be seen from outside.
package scenario
