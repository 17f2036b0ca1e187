package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported returns type and labels of each metric of the provider in the text format.
func exported(text string) map[string]string {
	sample := regexp.MustCompile(`^(oidc_provider_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? `)
	label := regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
	types, labels := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(text) {
		if kind, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(kind), " ")
			types[name] = kind
			continue
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		name := found[1]
		if full := strings.FieldsFunc(line, func(c rune) bool { return c == '{' || c == ' ' })[0]; types[full] != "" {
			name = full
		}
		labels[name] = []string{}
		for _, l := range label.FindAllStringSubmatch(found[2], -1) {
			if l[1] != "le" {
				labels[name] = append(labels[name], l[1])
			}
		}
	}
	all := map[string]string{}
	for name, names := range labels {
		slices.Sort(names)
		all[name] = types[name] + " " + strings.Join(names, " ")
	}
	return all
}

func documented(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	row := regexp.MustCompile("^\\| `(oidc_provider_\\w+)` \\| (\\w+) \\|([^|]*)\\|")
	all := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if found := row.FindStringSubmatch(lines.Text()); found != nil {
			labels := strings.FieldsFunc(found[3], func(c rune) bool { return c == ' ' || c == ',' || c == '`' })
			slices.Sort(labels)
			all[found[1]] = found[2] + " " + strings.Join(labels, " ")
		}
	}
	return all
}

// What /metrics tells is in the documentation, with its type and labels, and nothing else is.
func TestMetricsAreDocumented(t *testing.T) {
	dir, secret := registrations(t)
	s := start(t, "http", freeAddress(t), dir, "--data-dir", t.TempDir())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	location, _ := s.authorize(&http.Client{Jar: jar})
	response, err := s.client.PostForm(s.issuer+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": {callback}, "client_id": {"app"}, "client_secret": {secret},
	})
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", response, err)
	}
	response, err = http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	inCode, inText := exported(string(text)), documented(t)
	if len(inCode) < 10 {
		t.Fatalf("only %d metrics are found in\n%s", len(inCode), text)
	}
	for name, what := range inCode {
		if inText[name] != what {
			t.Errorf("%s is a %s; the documentation says %q", name, what, inText[name])
		}
	}
	for name := range inText {
		if _, ok := inCode[name]; !ok {
			t.Errorf("%s is documented and does not exist", name)
		}
	}
	for _, file := range []string{"../../docs/metrics.md", "../../config/prometheus/prometheusrule.yaml"} {
		queries, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`oidc_provider_\w+`).FindAllString(string(queries), -1) {
			if inCode[name] == "" && inCode[strings.TrimSuffix(name, "_bucket")] == "" {
				t.Errorf("%s asks for %s, which does not exist", file, name)
			}
		}
	}
	if !strings.Contains(string(text), `oidc_provider_build_info{goversion="go1`) {
		t.Error("nothing tells what runs")
	}
}
