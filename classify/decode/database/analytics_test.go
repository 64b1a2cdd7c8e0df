package database

import (
	"strings"
	"testing"

	. "sluice/classify/decode/decodetest"
)

var analyticCases = []Case{
	{"MONETDB", 50000, false, []Message{Server("\x65\x00a1b2c3d4e5:mserver:9:RIPEMD160,SHA256,SHA1,MD5:LIT:SHA")}, "\x64\x00a1b2c3d4e5:mserver:9:RIPEMD160"},
	{"HIVE", 10000, false, []Message{Client("\x01\x00\x00\x00\x05PLAIN\x05\x00\x00\x00\x0c")}, "\x01\x00\x00\x00\x05PLAIT\x05"},
	{"IMPALA", 21050, false, []Message{Client("\x01\x00\x00\x00\x05PLAIN\x05\x00\x00\x00\x0c")}, "\x02\x00\x00\x00\x05PLAIN\x05"},
	{"TERADATA", 1025, false, []Message{Client("\x03\x01\x0a\x00\x00\x00\x00\x00\x00\x04" + strings.Repeat("\x00", 42) + "\x00\x2a\x00\x01")}, "\x03\x01\x0a\x00\x00\x00\x00\x00\x00\x03" + strings.Repeat("\x00", 42) + "\x00\x2a\x00\x01"},
	{"KDB", 5000, false, []Message{Client("analyst:secret\x03\x00"), Server("\x03")}, "analyst:secret\x07\x00"},
}

func TestAnalytics(t *testing.T) { Cases(t, Decoders, analyticCases) }

func FuzzAnalytics(f *testing.F) { Fuzz(f, analytics, Seeds(analyticCases)...) }
