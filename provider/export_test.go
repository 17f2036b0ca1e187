package provider

import "context"

// WakeLogoutNotices makes RunLogoutNotices look at once, as a clock that was set forward cannot.
func (p *Provider) WakeLogoutNotices() { p.notices.wakeUp() }

// TellOfLogouts sends what is due and returns when it is sent.
func (p *Provider) TellOfLogouts(ctx context.Context) {
	p.notices.takeDue(ctx)
	p.notices.running.Wait()
}
