package lab

import (
	"fmt"
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxFrame is the largest Ethernet frame a veth pair can carry without offloads.
const maxFrame = 14 + 65535

// packetSocket sends and receives the Ethernet frames of one device.
type packetSocket struct{ file *os.File }

// socketBuffer is the receive buffer of a packet socket, in bytes: bursts of several thousand packets.
const socketBuffer = 16 << 20

// openPacketSocket opens a packet socket on a device of the calling thread's namespace. It hears
// every frame that comes in and none that goes out.
func openPacketSocket(device string) (*packetSocket, error) {
	ifc, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket AF_PACKET", err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer)
	}
	if err == nil {
		all := uint16(unix.ETH_P_ALL)
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: ifc.Index})
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("packet socket on "+device, err)
	}
	return &packetSocket{os.NewFile(uintptr(fd), "packet:"+device)}, nil
}

// Read receives one frame.
func (s *packetSocket) Read(frame []byte) (int, error) { return s.file.Read(frame) }

// Write sends one frame.
func (s *packetSocket) Write(frame []byte) error {
	_, err := s.file.Write(frame)
	return err
}

// Close ends reads and writes.
func (s *packetSocket) Close() error { return s.file.Close() }

// disableOffloads makes a device of the calling thread's namespace send packets as they would be
// on a wire: no larger than its MTU, with complete checksums, and received ones not merged.
func disableOffloads(device string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	for _, feature := range []struct {
		name    string
		command uint32
	}{
		{"TCP segmentation", unix.ETHTOOL_STSO},
		{"generic segmentation", unix.ETHTOOL_SGSO},
		{"transmit checksum", unix.ETHTOOL_STXCSUM},
		{"generic receive", unix.ETHTOOL_SGRO},
	} {
		value := struct{ command, off uint32 }{feature.command, 0} // struct ethtool_value
		request := struct {                                        // struct ifreq with ifr_data
			name [unix.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [16]byte
		}{data: unsafe.Pointer(&value)}
		copy(request.name[:unix.IFNAMSIZ-1], device)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return fmt.Errorf("switching off %s offload of %s: %w", feature.name, device, errno)
		}
	}
	return nil
}
