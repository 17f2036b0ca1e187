// Package match holds gomega matchers for the conditions of resources.
package match
