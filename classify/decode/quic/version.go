package quic

// Versions of QUIC (IANA QUIC Versions), and how they differ: RFC 9001 section 5.2 (version 1 and
// the drafts before it), RFC 9369 section 3 (version 2).

// Versions that are met below.
const (
	version1      = 0x00000001
	version2      = 0x6b3343cf
	version2Draft = 0x709a50c4
	q050          = 'Q'<<24 | '0'<<16 | '5'<<8 | '0'
	t050          = 'T'<<24 | '0'<<16 | '5'<<8 | '0'
	t051          = 'T'<<24 | '0'<<16 | '5'<<8 | '1'
	draft         = 0xff000000
	mvfst         = 0xfaceb000
)

// Salts of the initial secret.
const (
	salt1       = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	salt2       = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	salt2Draft  = "\xa7\x07\xc2\x03\xa5\x9b\x47\x18\x4a\x1d\x62\xca\x57\x04\x06\xea\x7a\xe3\xe5\xd3"
	saltDraft29 = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
	saltDraft23 = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"
	saltDraft21 = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"
	saltQ050    = "\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45"
	saltT050    = "\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10"
	saltT051    = "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"
)

// salts are those that a version's initial secret may be made with, the likeliest first. Facebook
// numbers its versions apart from the drafts they follow.
func salts(version uint32) []string {
	switch {
	case version == version1:
		return []string{salt1}
	case version == version2:
		return []string{salt2}
	case version == version2Draft:
		return []string{salt2Draft, salt2}
	case version == q050:
		return []string{saltQ050}
	case version == t050:
		return []string{saltT050}
	case version == t051:
		return []string{saltT051}
	case version&0xffffff00 == draft:
		switch n := version & 0xff; {
		case n >= 33:
			return []string{salt1}
		case n >= 29:
			return []string{saltDraft29}
		case n >= 23:
			return []string{saltDraft23}
		case n >= 21:
			return []string{saltDraft21}
		}
	case version&0xfffff000 == mvfst:
		return []string{saltDraft23, saltDraft21, saltDraft29, salt1}
	}
	return nil
}

// likeVersion2 says whether packet types and labels are those of version 2.
func likeVersion2(version uint32) bool { return version == version2 || version == version2Draft }

// recognised says whether a version is in use by anybody, or is one of those that are sent to
// have it refused.
func recognised(version uint32) bool {
	switch {
	case version == version1, likeVersion2(version), version&0xfffff000 == mvfst,
		version&0x0f0f0f0f == 0x0a0a0a0a,
		version&0xffffff00 == draft && version&0xff != 0,
		google(version),
		version&0xffff0000 == 0x91c10000,             // quicly
		version&0xffff0000 == 0xabcd0000,             // Microsoft
		version&0xfffffff0 == 0xf123f0c0,             // Mozilla
		version&0xffffff00 == 'P'<<24|'C'<<16|'Q'<<8, // picoquic
		version&0xffffff00 == 'Q'<<24|'G'<<16|'O'<<8: // quic-go
		return true
	}
	return false
}

// google says whether a version is one of Google's: a letter and three digits.
func google(version uint32) bool {
	letter, a, b, c := version>>24, byte(version>>16), byte(version>>8), byte(version)
	return (letter == 'Q' || letter == 'T') && a == '0' && b >= '0' && b <= '5' && c >= '0' && c <= '9'
}
