package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// caller makes calls and has each counted. What it says of a call that fails holds no query, no body and no header: there are codes
// and secrets in them.
type caller struct {
	client *http.Client
	ledger *ledger
}

// answer is an HTTP answer, read whole.
type answer struct {
	status   int
	location *url.URL
	body     []byte
}

// call sends a form, or nothing, and expects one of some statuses. What asks only is asked again, as a load balancer does it, when the
// replica was killed meanwhile; what may change something is not, and ends with errUnanswered.
func (c *caller) call(ctx context.Context, kind, method, target string, form url.Values, prepare func(*http.Request), want ...int) (answer, error) {
	start := time.Now()
	a, err := c.send(ctx, method, target, form, prepare)
	if c.ledger.cut(start, err) {
		if method != http.MethodGet {
			c.ledger.unanswered()
			return a, errUnanswered
		}
		c.ledger.repeated()
		a, err = c.send(ctx, method, target, form, prepare)
	}
	if err == nil && !slices.Contains(want, a.status) {
		err = fmt.Errorf("answers %d %s", a.status, a.errorCode())
	}
	c.ledger.call(kind, start, err)
	return a, err
}

func (c *caller) send(ctx context.Context, method, target string, form url.Values, prepare func(*http.Request)) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, withoutURL(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if prepare != nil {
		prepare(request)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	location, err := response.Location()
	if err != nil {
		location = nil
	}
	return answer{response.StatusCode, location, body}, nil
}

// withoutURL leaves out of an error what was asked for.
func withoutURL(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// errorCode is what the provider calls a failure: the code of a JSON answer or of a redirect, or the title of a page.
func (a answer) errorCode() string {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(a.body, &said) == nil && said.Error != "" {
		return said.Error + ": " + said.Description
	}
	if a.location != nil && a.location.Query().Has("error") {
		return a.location.Query().Get("error")
	}
	if _, rest, found := strings.Cut(string(a.body), "<title>"); found {
		title, _, _ := strings.Cut(rest, "</title>")
		return title
	}
	return ""
}
