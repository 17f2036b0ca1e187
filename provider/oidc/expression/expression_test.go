package expression_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oidc-operator/oidc-operator/provider/oidc/expression"
)

func ada() *expression.User {
	return &expression.User{
		Subject: "sub-ada", Username: "Ada", DisplayName: "Ada Lovelace", GivenName: "Ada", Email: "ada@example.com", EmailVerified: true,
		Groups: []string{"app-a", "app-b", "staff"}, Address: expression.Address{Country: "UK"}, UpdatedAt: 1700000000,
	}
}

func input(user *expression.User) *expression.Input {
	return &expression.Input{
		User: user, Client: &expression.Client{ClientID: "matrix.synapse", DisplayName: "Matrix"},
		Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)),
	}
}

func TestResults(t *testing.T) {
	for text, want := range map[string]string{
		`user.username + '@example.com'`: `"Ada@example.com"`,
		`user.username.lowerAscii()`:     `"ada"`,
		`user.email.split('@')[1]`:       `"example.com"`,
		`user.address.country`:           `"UK"`,
		`user.address.region`:            ``,
		`user.familyName`:                ``,
		`null`:                           ``,
		`user.familyName != '' ? dyn(user.familyName) : null`: ``,
		`user.groups`: `["app-a","app-b","staff"]`,
		`user.groups.filter(g, g.startsWith('app-')).map(g, g.substring(4))`: `["a","b"]`,
		`user.groups.filter(g, g == 'none')`:                                 `[]`,
		`user.groups.map(g, g.lowerAscii().replace('-', '_')).join(',')`:     `"app_a,app_b,staff"`,
		`'staff' in user.groups`:                                             `true`,
		`sets.intersects(user.groups, ['x', 'staff'])`:                       `true`,
		`has(user.email) && !has(user.familyName)`:                           `true`,
		`user.emailVerified`:                                                 `true`,
		`size(user.groups)`:                                                  `3`,
		`{'roles': user.groups, 'since': timestamp(user.updatedAt)}`:         `{"roles":["app-a","app-b","staff"],"since":"2023-11-14T22:13:20Z"}`,
		`[1, 2.5, 'a', true, null, b'abc', 7u, duration('90s')]`:             `[1,2.5,"a",true,null,"YWJj",7,"90s"]`,
		`client.clientID + ' ' + client.displayName`:                         `"matrix.synapse Matrix"`,
		`now`:                               `"2026-01-02T02:04:05Z"`,
		`now.getFullYear()`:                 `2026`,
		`cel.bind(n, user.username, n + n)`: `"AdaAda"`,
		`user.email.matches('^[a-z]+@example[.]com$') ? '<staff> & co' : 'customer'`: `"<staff> & co"`,
	} {
		t.Run(text, func(t *testing.T) {
			program, err := expression.Compile(text, expression.Kind{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := program.Evaluate(input(ada())); err != nil || string(got) != want {
				t.Errorf("gives %s, %v", got, err)
			}
		})
	}
}

// What is wrong is told with line and column, before anybody logs in.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kind expression.Kind
		says string
	}{
		"empty":                        {``, expression.Kind{}, "1:1: "},
		"unknown variable":             {`usr.email`, expression.Kind{}, "1:1: undeclared reference to 'usr'"},
		"unknown field":                {`'x' + user.givenname`, expression.Kind{}, "1:11: undefined field 'givenname'"},
		"unknown function":             {`user.email.lower()`, expression.Kind{}, "1:17: undeclared reference to 'lower'"},
		"second line":                  {"user.email +\n  1", expression.Kind{}, "1:12: found no matching overload for '_+_'"},
		"position in the second line":  {"user.email +\n  usr.email", expression.Kind{}, "2:3: undeclared reference"},
		"cut off":                      {`user.email +`, expression.Kind{}, "1:13: Syntax error"},
		"bad regular expression":       {`user.email.matches('(')`, expression.Kind{}, "1:20: invalid matches argument"},
		"huge regular expression":      {`user.email.matches('((a{20}){20}){20}')`, expression.Kind{}, "1:20: "},
		"the person as a whole":        {`user`, expression.Kind{}, "gives an object; choose fields of it"},
		"a list of persons":            {`[user]`, expression.Kind{}, "must give any JSON"},
		"a map with numbers as names":  {`{1: 'a'}`, expression.Kind{}, "names in a map must be strings"},
		"a number as a text":           {`size(user.groups)`, expression.Kind{Result: expression.Text}, "must give a string and gives int"},
		"a text as a rule":             {`user.email`, expression.Kind{Result: expression.Truth}, "must give a bool and gives string"},
		"a text as groups":             {`user.email`, expression.Kind{Result: expression.Texts}, "must give a list of strings"},
		"numbers as groups":            {`[1]`, expression.Kind{Result: expression.Texts}, "must give a list of strings"},
		"a text as an address":         {`user.email`, expression.Kind{Result: expression.Object}, "must give a map"},
		"time where it must not count": {`user.username + string(now)`, expression.Kind{Timeless: true}, "1:24: now is not available here"},
		"format":                       {`'%s'.format([user.email])`, expression.Kind{}, "format is not available"},
		"an object":                    {`User{username: 'root'}.username`, expression.Kind{}, "objects cannot be made"},
		"a loop in a loop":             {`user.groups.all(a, user.groups.all(b, a == b))`, expression.Kind{}, "can cost too much"},
		"dear for everybody":           {`[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, a + b + c + d > 0))))`, expression.Kind{}, "can cost too much"},
		"text that grows":              {`user.email.replace('', user.profile).replace('', user.profile)`, expression.Kind{}, "can cost too much"},
		"too long":                     {`'` + strings.Repeat("ä", expression.MaxLength) + `'`, expression.Kind{}, "must be at most 2048 characters"},
		"nested too deep":              {strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500), expression.Kind{}, "1:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := expression.Compile(c.text, c.kind)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// What fails for one person says why in words that hold nothing of them.
func TestFailures(t *testing.T) {
	many := ada()
	for i := range 501 {
		many.Groups = append(many.Groups, fmt.Sprint("g", i))
	}
	long := ada()
	long.Nickname = strings.Repeat("x", 2049)
	for name, c := range map[string]struct {
		text   string
		kind   expression.Kind
		user   *expression.User
		reason string
	}{
		"no such element":           {`user.email.split('@')[2]`, expression.Kind{}, ada(), expression.ReasonValue},
		"no such key":               {`{'a': 'b'}[user.email]`, expression.Kind{}, ada(), expression.ReasonValue},
		"not a number":              {`int(user.email)`, expression.Kind{}, ada(), expression.ReasonValue},
		"infinite":                  {`1.0 / 0.0`, expression.Kind{}, ada(), expression.ReasonType},
		"a text by surprise":        {`dyn(user.email)`, expression.Kind{Result: expression.Truth}, ada(), expression.ReasonType},
		"groups by surprise":        {`dyn([1])`, expression.Kind{Result: expression.Texts}, ada(), expression.ReasonType},
		"more groups than planned":  {`user.email`, expression.Kind{}, many, expression.ReasonSize},
		"longer than planned":       {`user.email`, expression.Kind{}, long, expression.ReasonSize},
		"a result that is too long": {strings.Repeat(`user.profile + `, 9) + `''`, expression.Kind{}, &expression.User{Profile: strings.Repeat("x", 2000)}, expression.ReasonSize},
	} {
		t.Run(name, func(t *testing.T) {
			program, err := expression.Compile(c.text, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			value, err := program.Evaluate(input(c.user))
			var known *expression.Error
			if !errors.As(err, &known) || known.Reason != c.reason || value != nil {
				t.Fatalf("gives %.100s, %v", value, err)
			}
			if strings.Contains(err.Error(), "ada") {
				t.Errorf("the error tells of the person: %v", err)
			}
		})
	}
}

func TestTextAndTruth(t *testing.T) {
	text, err := expression.Compile(`user.username`, expression.Kind{Result: expression.Text, Timeless: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := text.Text(input(ada())); err != nil || got != "Ada" {
		t.Errorf("gives %q, %v", got, err)
	}
	if _, err := text.Truth(input(ada())); err == nil {
		t.Error("a text is a truth")
	}
	truth, err := expression.Compile(`'staff' in user.groups && now < timestamp('2027-01-01T00:00:00Z')`, expression.Kind{Result: expression.Truth})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := truth.Truth(input(ada())); err != nil || !got {
		t.Errorf("gives %v, %v", got, err)
	}
	if _, err := truth.Text(input(ada())); err == nil {
		t.Error("a truth is a text")
	}
}

func TestParseUser(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"nothing":                {``, ""},
		"some fields":            {`{"username":"ada","groups":["a"],"address":{"country":"UK"},"emailVerified":true}`, ""},
		"a field in wrong case":  {`{"Username":"ada"}`, `has no field "Username"; there are subject, username,`},
		"a claim's name":         {`{"given_name":"Ada"}`, `has no field "given_name"`},
		"unknown in the address": {`{"address":{"city":"x"}}`, `address has no field "city"; there are formatted,`},
		"an address of text":     {`{"address":"London"}`, "must have an object as address"},
		"a group":                {`{"groups":"a"}`, "a list of texts as groups"},
		"a list":                 {`[]`, "must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := expression.ParseUser([]byte(c.text))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// One program serves all who log in at a time.
func TestConcurrently(t *testing.T) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				program, err := expression.Compile(`user.username + '-' + user.nickname`, expression.Kind{})
				if err != nil {
					t.Error(err)
					return
				}
				name := fmt.Sprint(i)
				if got, err := program.Evaluate(input(&expression.User{Username: name, Nickname: name})); err != nil || string(got) != `"`+name+"-"+name+`"` {
					t.Errorf("gives %s, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}

// Equal texts share one program, and ten thousand clients with expressions of their own stay affordable.
func TestMemory(t *testing.T) {
	one, _ := expression.Compile(`user.email`, expression.Kind{})
	same, _ := expression.Compile(`user.email`, expression.Kind{})
	other, _ := expression.Compile(`user.email`, expression.Kind{Result: expression.Text})
	if one != same || one == other {
		t.Errorf("programs are %p %p %p", one, same, other)
	}
	const count = 2000
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	programs, before := make([]*expression.Program, count), heap()
	for i := range programs {
		var err error
		if programs[i], err = expression.Compile(fmt.Sprintf("user.username + '@%d.example.com'", i), expression.Kind{}); err != nil {
			t.Fatal(err)
		}
	}
	each := (int64(heap()) - int64(before)) / count
	runtime.KeepAlive(programs)
	t.Logf("%d bytes for each program", each)
	if each > 8<<10 {
		t.Errorf("a program takes %d bytes", each)
	}
}

// FuzzCompile: whatever is written, compiling ends with an error in one line or with a program that ends.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{`user.username + '@example.com'`, `user.groups.filter(g, g.startsWith('a'))`, `cel.bind(x, now, x)`, `'a'.matches('(')`, `{'a': [1, user.email]}`, `user`} {
		f.Add(text)
	}
	in := input(ada())
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		program, err := expression.Compile(text, expression.Kind{})
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("takes %s to compile", took)
		}
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %q", err)
			}
			return
		}
		start = time.Now()
		_, err = program.Evaluate(in)
		var known *expression.Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("takes %s", took)
		}
	})
}
