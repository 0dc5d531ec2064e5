package kong

import (
	"testing"

	gokong "github.com/kong/go-kong/kong"
)

// TestIDsAreThoseOfGoKong holds that ids are those of go-kong and the Kong Ingress Controller,
// because metrics and logs refer to them.
func TestIDsAreThoseOfGoKong(t *testing.T) {
	name := gokong.String("shop.web.example.80")
	service, r := gokong.Service{Name: name}, gokong.Route{Name: name}
	if err := service.FillID(""); err != nil {
		t.Fatal(err)
	}
	if err := r.FillID(""); err != nil {
		t.Fatal(err)
	}
	group := gokong.ConsumerGroup{Name: name}
	if err := group.FillID(""); err != nil {
		t.Fatal(err)
	}
	if got := ID(ConsumerGroups, *name); got != *group.ID {
		t.Errorf("consumer group id %s, go-kong has %s", got, *group.ID)
	}
	if got := ID(Services, *name); got != *service.ID {
		t.Errorf("service id %s, go-kong has %s", got, *service.ID)
	}
	if got := ID(Routes, *name); got != *r.ID {
		t.Errorf("route id %s, go-kong has %s", got, *r.ID)
	}
}
