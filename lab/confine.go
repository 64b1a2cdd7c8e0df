package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Confine has the programs that run on h now, and what they start from now on, use no other processors
// than those given; with none given, all.
func (h *Host) Confine(cpus ...int) error {
	pids, err := namespacePids(h.Namespace)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		err = errors.Join(err, ConfineProcess(pid, cpus...))
	}
	return err
}

// ConfineProcess is Confine for one process.
func ConfineProcess(pid int, cpus ...int) error {
	var set unix.CPUSet
	if len(cpus) == 0 {
		set.Fill()
	}
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	// A thread that is started meanwhile is as free as the one that started it.
	for done := map[int]bool{}; ; {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return err
		}
		again := false
		for _, task := range tasks {
			tid, err := strconv.Atoi(filepath.Base(task))
			if err != nil || done[tid] {
				continue
			}
			done[tid], again = true, true
			if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) { // or it has ended
				return os.NewSyscallError("sched_setaffinity", err)
			}
		}
		if !again {
			return nil
		}
	}
}
