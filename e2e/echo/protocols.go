package main

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"

	"golang.org/x/net/websocket"
)

// messages answers the messages of a WebSocket. Any origin is allowed.
var messages = websocket.Server{Handler: func(conn *websocket.Conn) {
	for {
		var message string
		if websocket.Message.Receive(conn, &message) != nil || websocket.Message.Send(conn, reply(message)) != nil {
			return
		}
	}
}}

// serveCall answers a gRPC call. In gRPC over HTTP/2, a message is a flag, four bytes of length, and the content; the
// status is in a trailer.
func serveCall(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	text, err := json.Marshal(answer(r))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...))
	w.Header().Set("Grpc-Status", "0")
}
