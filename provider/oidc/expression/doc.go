// Package expression evaluates the expressions of registrations: what a claim is, what the subject is, who may log in. The
// language is CEL (https://cel.dev), which always ends, changes nothing and reaches nothing but what it is given.
//
// An expression sees three variables: user, a [User]; client, a [Client]; and now, a timestamp, which the expression of a
// subject does not have, because a subject must stay the same. Besides the standard functions there are those of CEL's strings
// and sets libraries and cel.bind; format is left out, because what it costs cannot be told beforehand.
//
// [Compile] checks names, types and the greatest cost that an expression can have, and names line and column of what is wrong.
// What it returns is evaluated any number of times, by any number of goroutines. Texts that are equal share one [Program], and
// those that were used last are kept, so that asking for one again costs a look-up.
package expression
