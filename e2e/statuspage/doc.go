// Package statuspage tests the status page in a real Chromium, beside a real Kong.
//
// With the flag -images, the run writes the screenshots of the manual:
//
//	go test ./e2e/statuspage -args -images
package statuspage
