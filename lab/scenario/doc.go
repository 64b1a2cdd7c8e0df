// Package scenario tests the gateway as its users meet it: real clients and servers in a lab, a
// configuration in set statements, and what can be seen from outside. Tests that mostly wait do so
// side by side, when the others are over.
package scenario
