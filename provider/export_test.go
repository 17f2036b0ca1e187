package provider

// WakeLogoutNotices makes RunLogoutNotices look at once, as a clock that was set forward cannot.
func (p *Provider) WakeLogoutNotices() { p.notices.wakeUp() }
