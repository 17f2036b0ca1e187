package controllers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// pause holds a replica still. When it returns none of its threads runs any more: the signal alone is no promise of that, since on a
// busy machine the others go on until the one that takes it has its turn.
func (r *replica) pause() {
	GinkgoHelper()
	Expect(r.process.Process.Signal(syscall.SIGSTOP)).To(Succeed())
	DeferCleanup(func() { _ = r.process.Process.Signal(syscall.SIGCONT) }) // or it could not be stopped
	if _, err := os.Stat("/proc/self/task"); err != nil {
		return // not Linux: nothing tells
	}
	Eventually(func(g Gomega) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.process.Process.Pid))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(threads).NotTo(BeEmpty())
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(stat[strings.LastIndexByte(string(stat), ')')+1:])).To(HavePrefix(" T"))
		}
	}).Should(Succeed())
}
