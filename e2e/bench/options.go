package bench

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Options say how much to measure.
type Options struct {
	Sizes   []int         // numbers of routes, ascending
	Ways    []Way         // how changes get to Kong
	Changes int           // of each kind, with and without load each
	AtLeast int           // as many are made even if the time is up; with load, half of them
	Budget  time.Duration // for the changes of one gateway with, or without, load
	Within  time.Duration // a change that takes longer is given up
	Rate    int           // requests a second of the load
	Idle    time.Duration // how long the use of processor time without changes is watched
	Besides string        // what else the machine does, for the page
}

// register adds the options to the flags of the tests.
func register(set *flag.FlagSet) *Options {
	o := &Options{}
	o.Sizes = []int{100, 1000, 5000, 10000}
	set.Func("sizes", "numbers of routes, ascending (default 100,1000,5000,10000)", func(list string) error {
		var err error
		o.Sizes, err = parseSizes(list)
		return err
	})
	o.Ways = []Way{Delta, Full}
	set.Func("way", "delta or full alone", func(way string) error {
		o.Ways = []Way{Way(way)}
		if o.Ways[0] != Delta && o.Ways[0] != Full {
			return fmt.Errorf("want %s or %s", Delta, Full)
		}
		return nil
	})
	set.IntVar(&o.Changes, "changes", 50, "changes of each kind, with and without load each")
	set.IntVar(&o.AtLeast, "at-least", 5, "changes of each kind that are made even if the time is up; with load, half of them")
	set.DurationVar(&o.Budget, "budget", 8*time.Minute, "time for the changes of one gateway with, or without, load")
	set.DurationVar(&o.Within, "within", 2*time.Minute, "when to give up a change")
	set.IntVar(&o.Rate, "rate", 200, "requests a second of the load")
	set.DurationVar(&o.Idle, "idle", 20*time.Second, "how long the use of processor time without changes is watched")
	set.StringVar(&o.Besides, "besides", "", "what else the machine does, for the page")
	return o
}

func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if n < 2 || n > mostRoutes || len(sizes) > 0 && n <= sizes[len(sizes)-1] {
			return nil, fmt.Errorf("sizes have to ascend between 2 and %d", mostRoutes)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}
