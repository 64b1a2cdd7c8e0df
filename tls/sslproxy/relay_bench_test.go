package sslproxy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	tls "sluice/tls/stdtls"
)

// The peers of a benchmark are processes of their own, so that the CPU time of this one is the
// relay's.
const (
	peerVariable  = "SSLPROXY_TEST_PEER"  // origin or client
	bytesVariable = "SSLPROXY_TEST_BYTES" // what the client fetches over each connection
	connsVariable = "SSLPROXY_TEST_CONNS"
	addrVariable  = "SSLPROXY_TEST_ADDR"
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(peerVariable) {
	case "origin":
		err = runOrigin()
	case "client":
		err = runClient()
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// newCertificate makes a certificate that vouches for itself.
func newCertificate() ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "origin.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return der, key, err
}

// runOrigin sends, over each connection, as many bytes as the client asks for in a decimal line. If
// the number is negative it leaves the connection open after that.
func runOrigin() error {
	der, key, err := newCertificate()
	if err != nil {
		return err
	}
	listener, err := stdtls.Listen("tcp", "127.0.0.1:0", &stdtls.Config{DynamicRecordSizingDisabled: true,
		Certificates: []stdtls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			var size int64
			if _, err := fmt.Fscanln(conn, &size); err != nil {
				return
			}
			if size < 0 {
				_, _ = conn.Write(make([]byte, -size))
				_, _ = io.Copy(io.Discard, conn)
				return
			}
			block := make([]byte, 64<<10)
			for ; size > 0; size -= int64(len(block)) {
				if _, err := conn.Write(block[:min(size, int64(len(block)))]); err != nil {
					return
				}
			}
		}()
	}
}

// runClient fetches over its connections at once. If the number of bytes is negative it says so when
// it has them, and leaves the connections open until its standard input ends.
func runClient() error {
	conns, err := strconv.Atoi(os.Getenv(connsVariable))
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(os.Getenv(bytesVariable), 10, 64)
	if err != nil {
		return err
	}
	var held []net.Conn
	results := make(chan error, conns)
	for range conns {
		fetch := func() {
			results <- func() error {
				conn, err := stdtls.Dial("tcp", os.Getenv(addrVariable), &stdtls.Config{InsecureSkipVerify: true})
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(conn, size); err != nil {
					return err
				}
				if size < 0 {
					_, err := io.ReadFull(conn, make([]byte, -size))
					held = append(held, conn)
					return err
				}
				defer conn.Close()
				buffer := make([]byte, 64<<10)
				n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, buffer)
				if err == nil && n != size {
					err = fmt.Errorf("fetched %d bytes of %d", n, size)
				}
				return err
			}()
		}
		if size < 0 {
			fetch() // one after the other
		} else {
			go fetch()
		}
	}
	for range conns {
		if err := <-results; err != nil {
			return err
		}
	}
	if len(held) > 0 {
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	return nil
}

func startPeer(tb testing.TB, kind string, env ...string) *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), peerVariable+"="+kind), env...)
	command.Stderr = os.Stderr
	tb.Cleanup(func() {
		if command.Process != nil {
			_ = command.Process.Kill()
			_, _ = command.Process.Wait()
		}
	})
	return command
}

// startOrigin returns the address of an origin.
func startOrigin(tb testing.TB) string {
	origin := startPeer(tb, "origin")
	out, err := origin.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := origin.Start(); err != nil {
		tb.Fatal(err)
	}
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// relayer intercepts one accepted connection.
type relayer func(client *net.TCPConn, origin string)

// relayPlain is the simplest relay there is with crypto/tls.
func relayPlain(tb testing.TB) relayer {
	der, key, err := newCertificate()
	if err != nil {
		tb.Fatal(err)
	}
	config := &stdtls.Config{Certificates: []stdtls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return func(conn *net.TCPConn, origin string) {
		defer conn.Close()
		server, err := stdtls.Dial("tcp", origin, &stdtls.Config{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer server.Close()
		client := stdtls.Server(conn, config)
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.CloseWrite()
		}()
		_, _ = io.Copy(client, server)
		_ = client.CloseWrite()
	}
}

func relayOurs(tb testing.TB) relayer {
	der, key, err := newCertificate()
	if err != nil {
		tb.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return func(conn *net.TCPConn, origin string) {
		raw, err := net.Dial("tcp", origin)
		if err != nil {
			_ = conn.Close()
			return
		}
		server := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
		client := tls.Server(conn, config)
		if server.Handshake() != nil || client.Handshake() != nil {
			_, _ = conn.Close(), raw.Close()
			return
		}
		Relay(context.Background(), client, server, nil, nil)
	}
}

func serveRelay(tb testing.TB, origin string, relay relayer) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(conn.(*net.TCPConn), origin)
		}
	}()
	return listener.Addr().String()
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRelay tells what it costs to terminate and re-encrypt, in CPU seconds per gigabyte.
func BenchmarkRelay(b *testing.B) {
	const total = 1 << 29
	for _, kind := range []struct {
		name string
		make func(testing.TB) relayer
	}{{"plain", relayPlain}, {"ours", relayOurs}} {
		for _, conns := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/conns=%d", kind.name, conns), func(b *testing.B) {
				origin := startOrigin(b)
				address := serveRelay(b, origin, kind.make(b))
				begin := cpuTime()
				for b.Loop() {
					client := startPeer(b, "client", addrVariable+"="+address, connsVariable+"="+strconv.Itoa(conns), bytesVariable+"="+strconv.Itoa(total/conns))
					if err := client.Run(); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(total)
				b.ReportMetric((cpuTime()-begin).Seconds()/(float64(b.N)*total/1e9), "CPU-s/GB")
			})
		}
	}
}

// memoryInUse is the memory of the heap and of stacks that cannot be freed, and what the process
// has resident, in bytes.
func memoryInUse(tb testing.TB) (inUse, resident uint64) {
	for range 3 { // stacks shrink step by step
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Fatal(err)
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		tb.Fatal(err)
	}
	return m.HeapAlloc + m.StackInuse, pages * uint64(os.Getpagesize())
}

// BenchmarkIdle tells how much memory an idle session has after it carried some data.
func BenchmarkIdle(b *testing.B) {
	const sessions = 500
	for _, kind := range []struct {
		name string
		make func(testing.TB) relayer
	}{{"plain", relayPlain}, {"ours", relayOurs}} {
		b.Run(kind.name, func(b *testing.B) {
			address := serveRelay(b, startOrigin(b), kind.make(b))
			inUse, resident := memoryInUse(b)
			for b.Loop() {
				client := startPeer(b, "client", addrVariable+"="+address, connsVariable+"="+strconv.Itoa(sessions), bytesVariable+"=-100000")
				hold, err := client.StdinPipe()
				if err != nil {
					b.Fatal(err)
				}
				out, err := client.StdoutPipe()
				if err != nil {
					b.Fatal(err)
				}
				if err := client.Start(); err != nil {
					b.Fatal(err)
				}
				var ready string
				if _, err := fmt.Fscanln(out, &ready); err != nil {
					b.Fatal(err)
				}
				inUseAfter, residentAfter := memoryInUse(b)
				b.ReportMetric((float64(inUseAfter)-float64(inUse))/sessions/1024, "KiB/session")
				b.ReportMetric((float64(residentAfter)-float64(resident))/sessions/1024, "KiB-resident/session")
				_ = hold.Close()
				_ = client.Wait()
			}
		})
	}
}
