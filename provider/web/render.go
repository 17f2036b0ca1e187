package web

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"
)

//go:embed templates
var templates embed.FS

//go:embed assets
var assets embed.FS

// Pages renders pages in every language. It is safe for concurrent use.
type Pages struct {
	languages []language
	assets    map[string]Asset
	// names maps an asset's file name to the name under which it is served, which changes with its content.
	names map[string]string
	// palettes are those of the style sheet, light and dark.
	palettes []map[string]color
}

type language struct {
	translation
	templates *template.Template
}

// Asset is a file that pages link to.
type Asset struct {
	Content     []byte
	ContentType string
}

// New parses every template in every language.
func New() (*Pages, error) {
	p := &Pages{assets: map[string]Asset{}, names: map[string]string{}}
	if err := p.loadAssets(); err != nil {
		return nil, err
	}
	for _, translation := range translations() {
		lang := language{translation: translation}
		parsed, err := template.New("").Funcs(template.FuncMap{
			"t":    lang.texts.get,
			"wait": func(d time.Duration) string { return lang.span(roundUp(d)) },
			"ago":  func(now, then time.Time) string { return lang.ago(roundDown(now.Sub(then))) },
			"day":  func(t time.Time) string { return lang.date(t.UTC()) },
		}).ParseFS(templates, "templates/*.html")
		if err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		lang.templates = parsed
		p.languages = append(p.languages, lang)
	}
	return p, nil
}

func (p *Pages) loadAssets() error {
	files, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return fmt.Errorf("read assets: %w", err)
	}
	for _, file := range files {
		content, err := assets.ReadFile("assets/" + file.Name())
		if err != nil {
			return fmt.Errorf("read asset %s: %w", file.Name(), err)
		}
		end := path.Ext(file.Name())
		name := strings.TrimSuffix(file.Name(), end) + "-" + version(content) + end
		p.assets[name] = Asset{Content: content, ContentType: contentType(end)}
		p.names[file.Name()] = name
	}
	style := p.assets[p.names["style.css"]]
	p.palettes, err = readPalettes(style.Content)
	return err
}

// contentType knows the few kinds there are, rather than ask the machine's own table, which may say anything.
func contentType(end string) string {
	switch end {
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".js":
		return "text/javascript; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}

// Asset returns the asset that is served under a name. Its content never changes: another content has another name.
func (p *Pages) Asset(name string) (Asset, bool) {
	a, ok := p.assets[name]
	return a, ok
}

// Locales returns the languages that pages can be in (BCP 47), the default first.
func (p *Pages) Locales() []string {
	tags := make([]string, len(p.languages))
	for i, lang := range p.languages {
		tags[i] = lang.tag
	}
	return tags
}

// View is what all pages of an answer have in common.
type View struct {
	// Base is the issuer's path, below which assets are.
	Base string
	// Where names the place in the title of the window when the brand has no title: the issuer's host.
	Where string
	Brand *Brand
	// Languages are the preferred ones (BCP 47 tags), the most wanted first.
	Languages []string
	// Now is what "5 minutes ago" is counted from.
	Now time.Time
}

// frame is what every template is given.
type frame struct {
	View
	Lang  string
	Style string
	Icon  string
	// Submit is the script that sends the form of a page, Continue the one that goes on to another page.
	Submit, Continue string
	// Framed is the script that sends the form of a page in a frame, Message the one that tells another page something.
	Framed, Message string
	Page            Page
}

// Render returns a page as HTML in the first of the preferred languages that there is, else in the default.
func (p *Pages) Render(page Page, v View) ([]byte, error) {
	lang := p.choose(v.Languages)
	if v.Brand == nil {
		v.Brand = &Brand{}
	}
	v.Where = cmp.Or(v.Brand.Title, v.Where)
	var out bytes.Buffer
	err := lang.templates.ExecuteTemplate(&out, page.template()+".html", frame{
		View: v, Lang: lang.tag, Style: p.names["style.css"], Icon: p.names["icon.svg"], Submit: p.names["submit.js"], Continue: p.names["continue.js"],
		Framed: p.names["framed.js"], Message: p.names["message.js"], Page: page,
	})
	if err != nil {
		return nil, fmt.Errorf("render page %s: %w", page.template(), err)
	}
	return out.Bytes(), nil
}

func (p *Pages) choose(preferred []string) language {
	for _, tag := range preferred {
		base, _, _ := strings.Cut(tag, "-")
		for _, lang := range p.languages {
			if strings.EqualFold(lang.tag, base) {
				return lang
			}
		}
	}
	return p.languages[0]
}
