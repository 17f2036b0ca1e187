//go:build !linux

package pgtest

import "syscall"

func withThisProcess(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account, Setpgid: true}
}
