package registration_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

func TestParseStorageFault(t *testing.T) {
	fault := func(reason registration.StorageReason, message string) registration.StorageFault {
		return registration.StorageFault{Reason: reason, Message: message}
	}
	for name, test := range map[string]struct {
		text string
		want registration.StorageFault
	}{
		"absent":           {"", registration.StorageFault{}},
		"blank":            {" \n", registration.StorageFault{}},
		"database":         {"DatabaseUnavailable: connection refused", fault(registration.StorageDatabaseUnavailable, "connection refused")},
		"volume":           {"VolumeFull: database or disk is full: 1 GiB", fault(registration.StorageVolumeFull, "database or disk is full: 1 GiB")},
		"no message":       {"StorageFailed:", fault(registration.StorageFailed, "")},
		"later version":    {"QuotaExceeded: 1 GiB", fault(registration.StorageFailed, "QuotaExceeded: 1 GiB")},
		"no reason":        {"disk on fire", fault(registration.StorageFailed, "disk on fire")},
		"reason alone":     {"VolumeFull", fault(registration.StorageFailed, "VolumeFull")},
		"several lines":    {"VolumeFull: a\r\nb\tc\u202ed", fault(registration.StorageVolumeFull, "a b c d")},
		"without end":      {"VolumeFull: " + strings.Repeat("x", 600), fault(registration.StorageVolumeFull, strings.Repeat("x", 512)+"…")},
		"cut in character": {"VolumeFull: " + strings.Repeat("x", 511) + "ä", fault(registration.StorageVolumeFull, strings.Repeat("x", 511)+"…")},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registration.ParseStorageFault(test.text); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestStorageFaultString(t *testing.T) {
	for name, test := range map[string]struct {
		fault registration.StorageFault
		want  string
	}{
		"works": {registration.StorageFault{}, ""},
		"fault": {registration.StorageFault{Reason: registration.StorageVolumeFull, Message: "no space: /data"}, "VolumeFull: no space: /data"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.fault.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if back := registration.ParseStorageFault(test.fault.String()); back != test.fault {
				t.Errorf("reads back as %+v", back)
			}
		})
	}
}
