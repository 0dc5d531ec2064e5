// Package manifests holds the cases in testdata to a real Kong that follows manifests in a directory. It needs no
// cluster.
//
// A case is a txtar file: a sentence that states the rule, then pairs of files. NAME.yaml replaces all earlier manifests,
// and NAME.requests has requests with their answers. A line of it is
//
//	METHOD URL => ANSWER
//
// The URL is sent as it is written. Its host is the header Host and, with https, the server name. There may be options
// before the arrow: sni=NAME sends another server name, sni= sends none, and header=NAME:VALUE adds a header. The answer
// is a status, followed by
//
//	200 BACKEND PATH    the address of the endpoint that answered, and the path that it received
//	302 LOCATION        the header Location of a redirect
//	... by NAME         over TLS, the common name of the server's certificate
//	refused             when the handshake fails
//
// Endpoints have addresses of 127.0.0.0/8 and the port 7777. Kong listens on the ports 7778 and, for TLS, 7779. The test
// replaces all three with free ports. Service kong/kong-proxy is the Service of Kong.
//
// Without kong on PATH the tests are skipped.
package manifests
