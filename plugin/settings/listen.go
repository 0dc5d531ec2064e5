package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Ports are the ports from First to Last.
type Ports struct{ First, Last int32 }

// Contains reports whether a port is among them.
func (p Ports) Contains(port int32) bool { return p.First <= port && port <= p.Last }

// Listen is one or more ports that Kong listens on.
type Listen struct {
	Ports Ports
	// Stream is true for connections and datagrams, and false for HTTP.
	Stream bool
	// TLS is terminated or passed through. UDP is for streams only.
	TLS, UDP bool
}

// setGatewayPorts reads port ranges separated by commas.
func setGatewayPorts(s *Settings, value string) error {
	s.GatewayPorts = nil
	if value == "off" {
		return nil
	}
	for part := range strings.SplitSeq(value, ",") {
		ports, err := parsePorts(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		s.GatewayPorts = append(s.GatewayPorts, ports)
	}
	return nil
}

func parsePorts(text string) (Ports, error) {
	first, last, several := strings.Cut(text, "-")
	if !several {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, wrong := strconv.ParseUint(last, 10, 16)
	if err != nil || wrong != nil || from == 0 || to < from {
		return Ports{}, errors.New("want a port or a range of ports, such as 20000-20099")
	}
	return Ports{int32(from), int32(to)}, nil
}

// kongListens reads the settings that say where Kong listens for requests and streams. Those that
// are injected into nginx's configuration may have port ranges; Kong's own may not.
func kongListens(kong map[string]string) ([]Listen, error) {
	var all []Listen
	read := func(name, separator string, stream bool) error {
		for entry := range strings.SplitSeq(kong[name], separator) {
			words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(entry), "listen "))
			if len(words) == 0 || words[0] == "off" || strings.HasPrefix(words[0], "unix:") {
				continue
			}
			ports, err := parsePorts(words[0][strings.LastIndex(words[0], ":")+1:])
			if err != nil {
				return fmt.Errorf("%s %q: %w", name, entry, err)
			}
			all = append(all, Listen{Ports: ports, Stream: stream,
				TLS: slices.Contains(words, "ssl"), UDP: slices.Contains(words, "udp")})
		}
		return nil
	}
	return all, errors.Join(read("proxy_listen", ",", false), read("nginx_proxy_listen", ";", false), read("stream_listen", ",", true))
}

// portMaps reads Kong's setting port_maps, such as "80:8000, 443:8443". It returns the ports that
// clients connect to, keyed by Kong's ports.
func portMaps(text string) (maps map[int32]int32, err error) {
	for entry := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		from, to, _ := strings.Cut(entry, ":")
		outer, wrongOuter := parsePorts(strings.TrimSpace(from))
		inner, wrongInner := parsePorts(strings.TrimSpace(to))
		if wrongOuter != nil || wrongInner != nil {
			return nil, fmt.Errorf("port_maps %q: want two ports with a colon between them, such as 80:8000", entry)
		}
		if maps == nil {
			maps = map[int32]int32{}
		}
		maps[inner.First] = outer.First
	}
	return maps, nil
}
