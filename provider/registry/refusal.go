package registry

import (
	"log/slog"

	"github.com/oidc-operator/oidc-operator/provider/registration"
)

// refusal is why the newest version of a document cannot be used.
type refusal struct {
	err error
	sum uint64
}

type refusals map[docID]refusal

// note remembers or forgets that a document cannot be used and reports it when that is news: a source delivers the same
// text again whenever it starts over.
func (r refusals) note(c change) []report {
	if c.err == nil {
		delete(r, c.docID)
		return nil
	}
	if before, ok := r[c.docID]; ok && before.sum == c.sum {
		return nil
	}
	r[c.docID] = refusal{err: c.err, sum: c.sum}
	return []report{{docID: c.docID, err: c.err}}
}

// report is something that whoever looks after the registrations must know.
type report struct {
	docID
	err error
}

func (x *Index) log(reports []report) {
	for _, r := range reports {
		message := "registration is not in force"
		if r.kind == registration.KindSigningKey || r.kind == registration.KindSettings {
			message = "registration cannot be used; its last good version stays in force"
		}
		x.logger.Warn(message, slog.String("kind", string(r.kind)), slog.String("name", r.name), slog.Any("faults", faults(r.err)))
	}
}

// faults lists what is wrong, field by field where that is known. None of it repeats what the fields hold.
func faults(err error) []string {
	fields := registration.FieldErrors(err)
	if len(fields) == 0 {
		return []string{err.Error()}
	}
	texts := make([]string, 0, len(fields))
	for _, f := range fields {
		texts = append(texts, f.Error())
	}
	return texts
}
