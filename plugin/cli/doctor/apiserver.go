package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Skews of clocks: from warnAt on, ages and times are misleading; from failAt on, tokens and
// certificates may be invalid.
const (
	warnAt = 5 * time.Second
	failAt = time.Minute
)

// apiServer examines whether the API server answers, and compares its clock with the local one.
func (d Doctor) apiServer(ctx context.Context) []Finding {
	f := findings{area: "api server"}
	if d.Clients == nil {
		f.add(Failure, "give --kubeconfig or --context", "%v", d.Unreachable)
		return f.all
	}
	before := d.now()
	date, version, err := d.ask(ctx)
	after := d.now()
	if err != nil {
		f.add(Failure, "look at the network, the address and the credentials", "the API server %s does not answer: %v", d.Server, err)
		return f.all
	}
	f.ok("%s answers in %s: %s", d.Server, after.Sub(before).Round(time.Millisecond), version)
	f.area = "clock"
	f.clock(date, before, after)
	return f.all
}

// ask returns the time of the API server, in whole seconds, and its answer to /version.
func (d Doctor) ask(ctx context.Context) (date time.Time, version string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Server+"/version", nil)
	if err != nil {
		return date, "", err
	}
	response, err := d.HTTP.Do(request)
	if err != nil {
		return date, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return date, "", fmt.Errorf("status %s", response.Status)
	}
	date, err = http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		date, err = time.Time{}, nil
	}
	info, err := d.Clients.Core.Discovery().ServerVersion()
	if err != nil {
		return date, "", err
	}
	return date, "Kubernetes " + info.GitVersion, nil
}

// clock compares the time of an answer with when it was asked for and received.
func (f *findings) clock(date, asked, received time.Time) {
	var skew time.Duration
	switch end := date.Add(time.Second); {
	case date.IsZero():
		f.unknown("", "the API server does not say what time it is")
		return
	case end.Before(asked):
		skew = asked.Sub(end)
	case date.After(received):
		skew = received.Sub(date)
	}
	direction, size := "ahead of", skew
	if skew < 0 {
		direction, size = "behind", -skew
	}
	switch size = size.Round(time.Second); {
	case size < warnAt:
		f.ok("the local clock and that of the API server agree")
	case size < failAt:
		f.add(Warning, "synchronize the clocks", "the local clock is %s %s the API server's", size, direction)
	default:
		f.add(Failure, "synchronize the clocks: tokens and certificates may be refused", "the local clock is %s %s the API server's", size, direction)
	}
}
