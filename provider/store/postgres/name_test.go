package postgres_test

import (
	"strings"
	"testing"

	"github.com/oidc-operator/oidc-operator/provider/store/postgres"
)

// However a password is written into a connection string, no part of it becomes part of the name by which logs and status know the database,
// nor of the error.
func FuzzName(f *testing.F) {
	for _, password := range []string{
		"hunter2", "hunter/2", "12/34", "hunter@2", "hun@ter@2", "hun@zebra/2", "hunter#2", "12#34", "hunter?2", "12?a=b", "hunter%2", "%zz", "hunt[er]", "hunt er", "hunt\ner",
		"hunt:er", "'hunter", "'hun'ter", "hun\\", "a&host=zebra", "x@zebra:1/", "/", "@", "", "//@", "?host=zebra", "hunter zebra", "hunt\x00er",
	} {
		f.Add(password)
	}
	const want = "the database sso at db.example.com:5432"
	f.Fuzz(func(t *testing.T, password string) {
		for _, scheme := range []string{"postgres", "postgresql"} {
			if got, err := postgres.Name(scheme + "://provider:" + password + "@db.example.com:5432/sso"); err == nil && got != want || err != nil && !strings.HasPrefix(err.Error(), "the connection string of the database cannot be parsed") {
				t.Errorf("a URL with the password %q is %q, %v", password, got, err)
			}
		}
		if strings.Contains(password, "=") {
			return // nobody can tell it from another keyword
		}
		if got, err := postgres.Name("host=db.example.com port=5432 dbname=sso user=provider password=" + password); err == nil && got != want || err != nil && !strings.HasPrefix(err.Error(), "the connection string of the database cannot be parsed") {
			t.Errorf("keywords with the password %q are %q, %v", password, got, err)
		}
	})
}

func TestName(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:p%40@db.example.com/sso":                "the database sso at db.example.com:5432",
		"postgres://u:p@a:1,b:2/sso":                          "the database sso at a:1, b:2",
		"postgres://u:p@[2001:db8::1]:5433/sso":               "the database sso at [2001:db8::1]:5433",
		"host=/var/run/postgresql user=u password=p dbname=x": "the database x at /var/run/postgresql",
		"jdbc:postgresql://h/sso?user=u&password=p=q":         "",
	} {
		if got, err := postgres.Name(dsn); got != want || (err == nil) != (want != "") {
			t.Errorf("Name(%s) = %q, %v; want %q", dsn, got, err, want)
		}
	}
}
