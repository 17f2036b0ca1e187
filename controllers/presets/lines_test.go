package presets_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// A value of several lines is refused also where the API server has let it in, with the name of its field.
func TestOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		directory string
		change    func(*v1alpha1.ClientPreset)
		want      string
	}{
		"Grafana's name":         {"grafana", func(p *v1alpha1.ClientPreset) { p.Grafana.Name = "SSO\nx = y" }, "spec.preset.grafana.name"},
		"Grafana's mount path":   {"grafana", func(p *v1alpha1.ClientPreset) { p.Grafana.SecretMountPath = "/etc/oidc\n[server]" }, "spec.preset.grafana.secretMountPath"},
		"Grafana's brackets":     {"grafana", func(p *v1alpha1.ClientPreset) { p.Grafana.SecretMountPath = "/etc/x}y" }, "spec.preset.grafana.secretMountPath"},
		"a setting's name":       {"grafana", func(p *v1alpha1.ClientPreset) { p.Grafana.Settings = map[string]v1alpha1.GrafanaSetting{"x\ny": "z"} }, `spec.preset.grafana.settings["x\ny"]`},
		"MinIO's policy":         {"minio-role-policy", func(p *v1alpha1.ClientPreset) { p.MinIO.RolePolicy = "readonly\nX=Y" }, "spec.preset.minio.rolePolicy"},
		"a group in a list":      {"minio", func(p *v1alpha1.ClientPreset) { p.MinIO.Policies[0].Group = "a\tb" }, "spec.preset.minio.policies[0].group"},
		"Portainer's URL":        {"portainer", func(p *v1alpha1.ClientPreset) { p.Portainer.URL = "https://x\ny" }, "spec.preset.portainer.url"},
		"Proxmox VE's comment":   {"proxmox", func(p *v1alpha1.ClientPreset) { p.Proxmox.Comment = "x\n\tautocreate 1" }, "spec.preset.proxmox.comment"},
		"DSM's name":             {"synologydsm", func(p *v1alpha1.ClientPreset) { p.SynologyDSM.Name = "SSO\nFor https://evil.example" }, "spec.preset.synologyDSM.name"},
		"Vault's role":           {"vault", func(p *v1alpha1.ClientPreset) { p.Vault.Role = "x\nreboot" }, "spec.preset.vault.role"},
		"Django's prefix":        {"django", func(p *v1alpha1.ClientPreset) { p.Django.URLPrefix = "x\nimport os" }, "spec.preset.django.urlPrefix"},
		"Synapse's mount path":   {"synapse", func(p *v1alpha1.ClientPreset) { p.Synapse.SecretMountPath = "/etc/\noidc" }, "spec.preset.synapse.secretMountPath"},
		"the service's path":     {"mas", func(p *v1alpha1.ClientPreset) { p.MAS.SecretMountPath = "/etc/\noidc" }, "spec.preset.mas.secretMountPath"},
		"an invisible character": {"grafana", func(p *v1alpha1.ClientPreset) { p.Grafana.Name = "S\u200bSO" }, "U+200B"},
	} {
		t.Run(name, func(t *testing.T) {
			c := readClient(t, test.directory)
			test.change(c.Spec.Preset)
			effective := presets.Effective(c)
			_, err := presets.Of(effective).Files(presets.Issued{Client: effective, Issuer: testIssuer, Secret: testSecret, SecretKey: "client_secret"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
		})
	}
}
