// Package controllers reconciles the four kinds of the API. It decides; it is never on the path of a login.
//
// Each kind has the same files:
//
//	<kind>_controller.go  the reconciler: observe, plan, apply, report
//	<kind>_observe.go     reads everything into one value
//	<kind>_plan.go        decides, purely, from the resource and what was observed
//	<kind>_apply.go       writes what the plan says
//	<kind>_status.go      turns plan and outcome, purely, into conditions
//	<kind>_watches.go     what starts a reconcile
//
// An OIDCClient is looked at only as package presets has filled it in, except where its own status is written.
//
// What they share is in conditions.go (conditions), objects.go (writing), documents.go and registrations.go (what the provider
// reads), referents.go (what specs refer to), replicas.go (what the provider reports), report.go (status and events), index.go
// and manager.go (reading).
//
// An object's owner is recorded in its annotation AnnotationOwner, beside an owner reference where one can be. No object
// has a finalizer: what owner references cannot clean up is deleted when its owner's delete event arrives, and, because
// every registration Secret starts a reconcile of its owner when the operator starts, after a time without operator too.
package controllers
