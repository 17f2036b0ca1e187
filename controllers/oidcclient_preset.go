package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oidc-operator/oidc-operator/api/v1alpha1"
	"github.com/oidc-operator/oidc-operator/controllers/presets"
)

// presetPlan is what the preset of an OIDCClient adds to a plan. It is empty without one.
type presetPlan struct {
	// files stand in the credentials Secret.
	files map[string][]byte
	// fault says why there are no files, or is nil.
	fault error
	// warnings are what somebody should look at although nothing has failed.
	warnings []string
	// secretFault is what the application may dislike about a client secret that works so far, or "".
	secretFault string
}

// planPreset makes an application's files from c, which its preset has filled in.
func planPreset(c *v1alpha1.OIDCClient, state clientState, secret string) presetPlan {
	preset := presets.Of(c)
	if preset == nil || state.provider == nil {
		return presetPlan{}
	}
	var plan presetPlan
	plan.files, plan.fault = preset.Files(presets.Issued{
		Client: c, Issuer: state.provider.Spec.Issuer, Secret: secret, SecretKey: string(c.CredentialsKeys().ClientSecret),
	})
	maps.DeleteFunc(plan.files, func(key string, _ []byte) bool {
		_, own := c.Spec.Credentials.Data[key]
		return own // the user's file stands in its place
	})
	if preset.Warn != nil {
		plan.warnings = preset.Warn(state.algorithms)
	}
	if presets.SynologySSO(c) != nil && !state.provider.Spec.SynologySSO.Serves() {
		plan.warnings = append(plan.warnings, fmt.Sprintf(
			"the provider does not serve the protocol of Synology SSO Server; set spec.synologySSO.enabled of OIDCProvider %q", state.provider.Key()))
	}
	if secret != "" {
		plan.secretFault = preset.Secret.Fault(secret)
	}
	return plan
}

// heedsAlgorithms tells whether it matters to c with which algorithms its provider signs, apart from those that it asks for.
func heedsAlgorithms(c *v1alpha1.OIDCClient) bool {
	preset := presets.Of(c)
	return preset != nil && preset.Warn != nil
}

// judge adds to a decision about ConditionAccepted what the preset has to say.
func (p presetPlan) judge(accepted verdict) verdict {
	switch {
	case accepted.outcome != done:
		return accepted
	case p.fault != nil:
		return stall(v1alpha1.ReasonInvalidSpec, p.fault.Error())
	case len(p.warnings) > 0:
		accepted.message += ", but " + strings.Join(p.warnings, "; ")
	}
	return accepted
}

// judgeSecret adds to a decision about ConditionCredentialsReady that the application may not take the client secret. It is
// kept all the same: it may work, and another one would certainly end logins until somebody has told the application.
func (p presetPlan) judgeSecret(issued verdict) verdict {
	if p.secretFault != "" {
		issued.message += fmt.Sprintf(", but the client secret from before the preset is kept although %s; if logins fail, delete the Secret to get another one", p.secretFault)
	}
	return issued
}

func (p presetPlan) fileNames() []string {
	return slices.Sorted(maps.Keys(p.files))
}
