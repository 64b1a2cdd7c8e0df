package industrial

// The checksums of field buses: DNP3 (IEEE 1815), CRC-CCITT (IEEE C37.118, SAIA S-Bus) and the
// frame check of HDLC (ISO/IEC 13239).

// crcReflected is a 16-bit checksum that takes bits from the lowest on.
func crcReflected(data []byte, polynomial, start uint16) uint16 {
	crc := start
	for _, c := range data {
		crc ^= uint16(c)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= polynomial
			}
		}
	}
	return crc
}

// crcForward is a 16-bit checksum with the polynomial 0x1021 that takes bits from the highest on.
func crcForward(data []byte, start uint16) uint16 {
	crc := start
	for _, c := range data {
		crc ^= uint16(c) << 8
		for range 8 {
			high := crc & 0x8000
			crc <<= 1
			if high != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// crcDNP3 is the checksum of a block of DNP3.
func crcDNP3(data []byte) uint16 { return ^crcReflected(data, 0xa6bc, 0) }

// crcHDLC is the frame check sequence of HDLC.
func crcHDLC(data []byte) uint16 { return ^crcReflected(data, 0x8408, 0xffff) }
