package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Results are all measurements.
type Results struct {
	Options  Options
	Machine  Machine
	Begun    Moment
	Ended    Moment
	Gateways []Gateway
}

// Gateway has the measurements of one gateway.
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

// Phase has the rounds with or without load.
type Phase struct {
	Load    *Load
	Took    time.Duration
	Changes map[string][]Sample // by kind
	Late    []string            // requests that reached removed pods
}

// Quantiles of times.
type Quantiles struct{ P50, P90, P99, Max time.Duration }

// quantiles returns measured times and does not interpolate: the 99th percentile of 50 times is the longest.
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

// of returns the quantiles of one of the times of samples, without changes that never took effect.
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
	dataFile  = "gateway.json"
	pageFile  = "gateway.md"
	plotFile  = "gateway.svg"
	costsData = "features.json"
	costsPage = "features.md"

	requestsData = "requests.json"
	requestsPage = "requests.md"
	requestsPlot = "requests.svg"
)

// write writes the data and the pages to a directory.
func (r *Results) write(dir string) error {
	return write(dir, dataFile, r, map[string]string{pageFile: r.page(), plotFile: r.plot()})
}

func (c *Costs) write(dir string) error {
	return write(dir, costsData, c, map[string]string{costsPage: c.page()})
}

func (r *Requests) write(dir string) error {
	return write(dir, requestsData, r, map[string]string{requestsPage: r.page(), requestsPlot: r.plot()})
}

// write writes a data file and its pages.
func write(dir, name string, data any, pages map[string]string) error {
	encoded, err := json.MarshalIndent(data, "", " ")
	if err != nil {
		return err
	}
	pages[name] = string(encoded) + "\n"
	for name, content := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Pages returns the pages of a directory's data files, by name. A data file that does not exist has none.
func Pages(dir string) (map[string]string, error) {
	pages := map[string]string{}
	if r, err := read[Results](filepath.Join(dir, dataFile)); err == nil {
		pages[pageFile], pages[plotFile] = r.page(), r.plot()
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if c, err := read[Costs](filepath.Join(dir, costsData)); err == nil {
		pages[costsPage] = c.page()
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if r, err := read[Requests](filepath.Join(dir, requestsData)); err == nil {
		pages[requestsPage], pages[requestsPlot] = r.page(), r.plot()
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return pages, nil
}

// read returns the results of a data file.
func read[T Results | Costs | Requests](path string) (*T, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(T)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// gateway returns the gateway of a number of routes and a way, or nil.
func (r *Results) gateway(routes int, way Way) *Gateway {
	for i := range r.Gateways {
		if g := &r.Gateways[i]; g.Routes == routes && g.Way == way {
			return g
		}
	}
	return nil
}

// samples returns the samples of a kind of change, with or without load.
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
