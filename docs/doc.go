// Package docs is the manual. Its tests run the commands of the pages.
package docs

//go:generate sh -c "cd reference && go run ./generate"
