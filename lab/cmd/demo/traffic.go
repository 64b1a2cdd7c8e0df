package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/lab"
)

// step is one thing a client does and what must come of it.
type step struct {
	title   string
	host    *lab.Host
	command []string
	fails   bool     // the command must end with an error
	want    []string // texts that its output must hold
	quiet   bool     // do not show the output
}

// upload and its size are what the client sends to the web server.
const uploadSize = 32 << 20

// traffic lets the clients work, in order.
func (d *demo) traffic(ctx context.Context) {
	upload := filepath.Join(d.lab.Dir, "upload.bin")
	if err := makeFile(upload, uploadSize); err != nil {
		d.fail("upload file: " + err.Error())
	}
	client, guest, ca := d.lab.Client, d.lab.Guest, d.lab.CA
	curl := func(args ...string) []string { return append([]string{"curl", "-sS", "-m", "10"}, args...) }
	speed := "%{size_upload} bytes up, %{size_download} bytes down, %{speed_upload} and %{speed_download} bytes/s\n"

	d.style.heading("What policies permit")
	d.do(ctx, []step{
		{title: "A name", host: client, command: []string{"dig", "+short", lab.WebName}, want: []string{lab.WebAddr4}},
		{title: "A web page", host: client, command: curl("http://" + lab.WebName + "/"), want: []string{"hello from the internet"}},
		{title: "The same encrypted", host: client, command: curl("--cacert", ca, "https://"+lab.WebName+"/"), want: []string{"hello from the internet"}},
		{title: "The same over IPv6", host: client, command: curl("-6", "--cacert", ca, "https://"+lab.WebName+"/"), want: []string{"hello from the internet"}},
		{title: "The server sees the client's own address", host: client, command: curl("http://" + lab.WebAddr4 + "/whoami"), want: []string{lab.ClientAddr4}},
		{title: "By the second WAN link it sees the gateway's", host: client, command: curl("-4", "http://"+lab.WebNameLink1+"/whoami"), want: []string{lab.WAN1Gateway4}},
		{title: "Ping", host: client, command: []string{"ping", "-c", "3", "-i", "0.1", "-q", lab.EchoAddr4}, want: []string{"3 received"}},
		{title: "Ping over IPv6", host: client, command: []string{"ping", "-c", "3", "-i", "0.1", "-q", lab.EchoAddr6}, want: []string{"3 received"}},
		{title: "Ping in fragments", host: client, command: []string{"ping", "-c", "1", "-s", "4000", "-q", lab.EchoAddr4}, want: []string{"1 received"}},
		{title: "Every hop is there", host: client, command: []string{"traceroute", "-n", "-q", "1", "-w", "2", "-m", "6", lab.WebAddr4},
			want: []string{lab.LAN4, lab.WAN0ISP4, lab.WebAddr4}},
		{title: "An upload", host: client, command: curl("-T", upload, "-w", speed, "http://"+lab.WebName+"/upload/file"),
			want: []string{strconv.Itoa(uploadSize) + " bytes up"}},
		{title: "A download", host: client, command: curl("-o", "/dev/null", "-w", speed, "https://"+lab.WebName+"/download", "--cacert", ca),
			want: []string{strconv.Itoa(lab.DownloadSize) + " bytes down"}},
		{title: "A speed test, one second", host: client, quiet: true, command: []string{"iperf3", "-c", lab.WebAddr4, "-t", "1", "-f", "m"}, want: []string{"iperf Done."}},
		{title: "A session relayed as a stream", host: client, command: []string{labhost(), "ping", "-to", lab.EchoAddr4 + ":7", "-time", "500ms"}, want: []string{"p50_us"}},
	})

	d.style.heading("What applications decide")
	at := func(name string) []string {
		return []string{"--connect-to", name + ":80:" + lab.WebAddr4 + ":80", "--connect-to", name + ":443:" + lab.WebAddr4 + ":443", "-k"}
	}
	d.do(ctx, []step{
		{title: "An unwanted application gets a page", host: client, command: curl(append(at("www.youtube.com"), "http://www.youtube.com/")...), want: []string{"Not from this branch."}},
		{title: "Under encryption it is reset", host: client, command: curl(append(at("www.youtube.com"), "https://www.youtube.com/")...), fails: true, want: []string{"reset by peer"}},
		{title: "So is one that the branch has defined", host: client, command: curl(append(at("portal.example.net"), "http://portal.example.net/")...), want: []string{"Not from this branch."}},
		{title: "Others at the same address pass", host: client, command: curl(append(at("www.wikipedia.org"), "https://www.wikipedia.org/")...), want: []string{"hello from the internet"}},
	})

	d.style.heading("What they do not")
	d.do(ctx, []step{
		{title: "Rejected by policy: refused at once", host: client, command: curl("telnet://" + lab.EchoAddr4 + ":23"), fails: true, want: []string{"Failed to connect"}},
		{title: "Denied by policy: silence", host: client, command: curl("-m", "2", "telnet://"+lab.EchoAddr4+":7001"), fails: true, want: []string{"timed out"}},
		{title: "The guest may do nothing", host: guest, command: curl("-m", "2", "http://"+lab.WebAddr4+"/"), fails: true, want: []string{"timed out"}},
		{title: "A server without a listener refuses by itself", host: client, command: curl("http://" + lab.EchoAddr4 + "/"), fails: true, want: []string{"Failed to connect"}},
		{title: "A dead address does not answer", host: client, command: []string{"ping", "-c", "1", "-W", "1", lab.DeadAddr4}, fails: true, want: []string{"100% packet loss"}},
	})
}

// labhost is the path of the lab's helper; the lab has built or found it before.
func labhost() string {
	path, err := lab.Binary("labhost")
	if err != nil {
		return "labhost"
	}
	return path
}

// makeFile makes a file of zeros.
func makeFile(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// do runs steps and prints each with its result.
func (d *demo) do(ctx context.Context, steps []step) {
	for _, s := range steps {
		if ctx.Err() != nil {
			return
		}
		limit, cancel := context.WithTimeout(ctx, 20*time.Second)
		start := time.Now()
		out, err := s.host.Run(limit, s.command[0], s.command[1:]...)
		cancel()
		problem := s.judge(out, err)
		d.style.step(s.title, s.host.Role, s.command, out, time.Since(start), problem, s.quiet && problem == "")
		if problem != "" {
			d.fail(s.title + ": " + problem)
		}
	}
}

// judge says what is wrong with a step's result, or "".
func (s *step) judge(out string, err error) string {
	switch {
	case err != nil && !s.fails:
		return err.Error()
	case err == nil && s.fails:
		return "succeeded, which it must not"
	}
	for _, w := range s.want {
		if !strings.Contains(out, w) {
			return fmt.Sprintf("%q is missing", w)
		}
	}
	return ""
}

// fail remembers that something is not as expected.
func (d *demo) fail(problem string) { d.failures = append(d.failures, problem) }
