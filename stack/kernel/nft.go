package kernel

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Counter is what was dropped.
type Counter struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Dropped tells what was dropped since the firewall was first loaded: by interface device, what
// was meant for the gateway itself and not let in; under "", what would have passed by the TUNs.
func (k *Kernel) Dropped() (map[string]Counter, error) {
	k.mu.Lock()
	devices := k.firewall.devices
	k.mu.Unlock()
	counters, err := readCounters()
	if err != nil {
		return nil, err
	}
	out := map[string]Counter{"": counters[forwardCounter]}
	for _, device := range devices {
		out[device] = counters[inboundCounter(device)]
	}
	return out, nil
}

// loadedFirewall is the ruleset we loaded last.
type loadedFirewall struct {
	text    string   // without counts
	listed  string   // how nft printed it then
	devices []string // whose packets it judges
}

// setFirewall loads the ruleset of d, unless it is there and nobody changed it.
func (k *Kernel) setFirewall(d *Desired) error {
	text := render(d, nil)
	if text == k.firewall.text {
		if listed, err := listFirewall(); err == nil && listed == k.firewall.listed {
			return nil
		}
	}
	counters, err := readCounters()
	if err != nil {
		return err
	}
	if err := nft(render(d, counters), "-f", "-"); err != nil {
		return fmt.Errorf("cannot load the firewall: %w", err)
	}
	listed, err := listFirewall()
	if err != nil {
		return err
	}
	k.firewall = loadedFirewall{text: text, listed: listed}
	for _, ifc := range d.zoned() {
		k.firewall.devices = append(k.firewall.devices, ifc.Device)
	}
	return nil
}

// checkFirewall says whether nft would take text.
func checkFirewall(text string) error {
	if err := nft(text, "-c", "-f", "-"); err != nil {
		return fmt.Errorf("nft does not accept the firewall: %w", err)
	}
	return nil
}

// deleteFirewall removes our table if it is there.
func deleteFirewall() error {
	return nft("table inet sluice\ndelete table inet sluice\n", "-f", "-")
}

// listFirewall is our table without its counts.
func listFirewall() (string, error) {
	return nftOutput("", "-s", "list", "table", "inet", "sluice")
}

// readCounters reads the counters of our table; there are none when there is no table.
func readCounters() (map[string]Counter, error) {
	text, err := nftOutput("", "-j", "list", "counters", "table", "inet", "sluice")
	if err != nil {
		if strings.Contains(err.Error(), "No such file or directory") {
			return nil, nil
		}
		return nil, err
	}
	var listing struct {
		Objects []struct {
			Counter *struct {
				Name string `json:"name"`
				Counter
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal([]byte(text), &listing); err != nil {
		return nil, fmt.Errorf("cannot read the firewall's counters: %w", err)
	}
	counters := map[string]Counter{}
	for _, o := range listing.Objects {
		if o.Counter != nil {
			counters[o.Counter.Name] = o.Counter.Counter
		}
	}
	return counters, nil
}

func nft(input string, args ...string) error {
	_, err := nftOutput(input, args...)
	return err
}

// nftOutput runs nft; the error is what it said.
func nftOutput(input string, args ...string) (string, error) {
	cmd := exec.Command("nft", args...)
	cmd.Stdin = strings.NewReader(input)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("there is no nft program: install the package nftables")
	}
	if err != nil {
		return "", fmt.Errorf("nft: %s", cmp.Or(strings.TrimSpace(complaint.String()), err.Error()))
	}
	return out.String(), nil
}
