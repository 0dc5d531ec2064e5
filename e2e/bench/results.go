package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Results are all that was measured.
type Results struct {
	Options  Options
	Machine  Machine
	Begun    Moment
	Ended    Moment
	Gateways []Gateway
}

// Gateway is what was measured on one.
type Gateway struct {
	Routes       int
	Way          Way
	Ready        time.Duration // from its start
	Idle         Idle
	AtStart      Memory
	AtEnd        Memory
	Acknowledged acknowledged
	Phases       []Phase // without load, and with it
	Log          []string
}

// Phase is the rounds with or without load.
type Phase struct {
	Load    *Load
	Took    time.Duration
	Changes map[string][]Sample // by kind
	Late    []string            // requests that reached removed pods
}

// Quantiles of times.
type Quantiles struct{ P50, P90, P99, Max time.Duration }

// quantiles are times that were measured and none in between: of 50, the 99th percentile is the longest.
func quantiles(times []time.Duration) Quantiles {
	if len(times) == 0 {
		return Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(times))
	at := func(percent int) time.Duration {
		return sorted[(len(sorted)*percent+99)/100-1]
	}
	return Quantiles{at(50), at(90), at(99), sorted[len(sorted)-1]}
}

// of gives quantiles of one of the times of samples, without those that never were effective.
func of(samples []Sample, time func(Sample) time.Duration) Quantiles {
	return quantiles(times(samples, time))
}

func times(samples []Sample, time func(Sample) time.Duration) (list []time.Duration) {
	for _, s := range samples {
		if !s.Never {
			list = append(list, time(s))
		}
	}
	return list
}

func first(s Sample) time.Duration     { return s.First }
func effective(s Sample) time.Duration { return s.Effective }
func lastStale(s Sample) time.Duration { return s.LastStale }

// Names of the files of results.
const (
	dataFile = "gateway.json"
	pageFile = "gateway.md"
	plotFile = "gateway.svg"
)

// write makes the files of results in a directory.
func (r *Results) write(dir string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		dataFile: append(data, '\n'), pageFile: []byte(r.page()), plotFile: []byte(r.plot()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// read gives the results of a data file.
func read(path string) (*Results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Results{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// gateway finds what was measured for a number of routes.
func (r *Results) gateway(routes int, way Way) *Gateway {
	for i := range r.Gateways {
		if g := &r.Gateways[i]; g.Routes == routes && g.Way == way {
			return g
		}
	}
	return nil
}

// samples are those of a kind of change, with or without load.
func (r *Results) samples(routes int, way Way, loaded bool, kind string) []Sample {
	g := r.gateway(routes, way)
	if g == nil {
		return nil
	}
	for _, phase := range g.Phases {
		if (phase.Load != nil) == loaded {
			return phase.Changes[kind]
		}
	}
	return nil
}
