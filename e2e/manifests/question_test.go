package manifests

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// question is one line of a case.
type question struct {
	line         string
	method       string
	tls          bool
	host, target string   // target is the path and query as they are sent
	sni          string   // the server name of a TLS connection
	headers      []string // "NAME:VALUE"
	want         string
}

func questions(t *testing.T, text string) []question {
	t.Helper()
	var all []question
	for line := range strings.Lines(text) {
		asked, want, ok := strings.Cut(strings.TrimSpace(line), " => ")
		words := strings.Fields(asked)
		if !ok || len(words) < 2 {
			t.Fatalf("%q is not a question", line)
		}
		q := question{line: strings.TrimSpace(line), method: words[0], want: want}
		scheme, rest, ok := strings.Cut(words[1], "://")
		host, path, _ := strings.Cut(rest, "/")
		if !ok || scheme != "http" && scheme != "https" {
			t.Fatalf("%q is not a URL", words[1])
		}
		q.tls, q.host, q.target, q.sni = scheme == "https", host, "/"+path, host
		for _, option := range words[2:] {
			switch name, value, _ := strings.Cut(option, "="); name {
			case "sni":
				q.sni = value
			case "header":
				q.headers = append(q.headers, value)
			default:
				t.Fatalf("%q is not an option", option)
			}
		}
		all = append(all, q)
	}
	return all
}

// ask sends a request over a new connection and returns the answer in the words of a case.
func (k *kong) ask(q question) string {
	connection, err := net.Dial("tcp", k.address(q.tls))
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(answersWithin))
	by := ""
	if q.tls {
		secured := tls.Client(connection, &tls.Config{ServerName: q.sni, InsecureSkipVerify: true}) //nolint:gosec // the certificate is looked at
		if err := secured.Handshake(); err != nil {
			return "refused"
		}
		by = " by " + secured.ConnectionState().PeerCertificates[0].Subject.CommonName
		connection = secured
	}
	// By hand, because a client would change the spelling of the path.
	lines := []string{q.method + " " + q.target + " HTTP/1.1", "Host: " + q.host, "Connection: close"}
	for _, header := range q.headers {
		lines = append(lines, strings.Replace(header, ":", ": ", 1))
	}
	if _, err := io.WriteString(connection, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		return err.Error()
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: q.method})
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	answer := fmt.Sprint(response.StatusCode)
	if response.StatusCode == http.StatusOK {
		answer += " " + string(body)
	}
	if location := response.Header.Get("Location"); location != "" {
		answer += " " + location
	}
	return answer + by
}
