// Package manifests asks a real Kong, which follows manifests from a directory, what the cases of testdata say. It needs
// no cluster.
//
// A case is one txtar file: a sentence that says which rule it holds, then pairs of files. NAME.yaml replaces all manifests
// of before, and NAME.requests are asked while it is in force. A line of these is
//
//	METHOD URL => ANSWER
//
// The URL is sent as it is written, its host in the header Host and, for https, as the server name as well. Options may
// stand before the arrow: sni=NAME asks for another server name, sni= for none, and header=NAME:VALUE adds a header. The
// answer is the status, and after it
//
//	200 BACKEND PATH    the address of the endpoint that answered, and the path that it was asked for
//	302 LOCATION        of redirects the header Location
//	... by NAME         over TLS, the common name of the certificate that was served
//	refused             when the handshake fails
//
// Endpoints are at addresses of 127.0.0.0/8 with the port 7777, in whose place the test puts one that is free. Kong listens
// at 7778 and, for TLS, at 7779, in whose places it puts others too; Service kong/kong-proxy is the one in front of it.
//
// Without kong on PATH the tests are skipped and say so.
package manifests
