package pgtest

import "syscall"

// withThisProcess has a process end with the one that starts it, also when that is killed, and be nobody's terminal's
// foreground: an interrupt from the keyboard is for the test alone.
func withThisProcess(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}
