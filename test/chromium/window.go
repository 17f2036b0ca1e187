package chromium

import (
	"context"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// WindowOpened tells of the next window that the page of ctx opens, once. Ask before doing what opens it, and end ctx when it was told.
//
// chromedp.WaitNewTarget takes a window that is just closing for a new one: it is no longer attached, and says so.
func WindowOpened(ctx context.Context) (<-chan target.ID, error) {
	opened := make(chan target.ID, 1)
	err := chromedp.Listen(ctx, func(event any) {
		created, ok := event.(*target.EventTargetCreated)
		if !ok || created.TargetInfo.Type != "page" || created.TargetInfo.OpenerID == "" {
			return
		}
		select {
		case opened <- created.TargetInfo.TargetID:
		default: // another one has opened before
		}
	})
	return opened, err
}
