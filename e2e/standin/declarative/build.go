package declarative

import (
	"encoding/json"
	"fmt"
)

// build returns the typed configuration of entities that have passed the checks.
func (r *reader) build() error {
	c := r.config
	c.Services, c.Upstreams = map[string]*Service{}, map[string]*Upstream{}
	c.Certificates, c.SNIs = map[string]*Certificate{}, map[string]*Certificate{}
	for _, step := range []func() error{r.buildTLS, r.buildServices, r.buildRoutes, r.buildUpstreams, r.buildPlugins} {
		if err := step(); err != nil {
			return err
		}
	}
	c.Entities = map[string]map[string]Entity{}
	for collection, list := range r.lists {
		c.Entities[collection] = map[string]Entity{}
		for _, e := range list {
			id, _ := e["id"].(string)
			c.Entities[collection][id] = e
		}
	}
	return nil
}

// decode decodes an entity into a value that has the defaults.
func decode(e Entity, into any) error {
	data, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("entity %v: %w", e["id"], err)
	}
	return nil
}

func (r *reader) buildTLS() error {
	for _, e := range r.lists["certificates"] {
		c := &Certificate{}
		if err := decode(e, c); err != nil {
			return err
		}
		c.TLS = r.pairs[c.Cert+c.Key]
		r.config.Certificates[c.ID] = c
	}
	for _, e := range r.lists["snis"] {
		name, _ := e["name"].(string)
		id, _ := e["certificate"].(string)
		r.config.SNIs[name] = r.config.Certificates[id]
	}
	return nil
}

func (r *reader) buildServices() error {
	for _, e := range r.lists["services"] {
		s := &Service{
			Protocol: "http", Port: 80, Retries: 5, Enabled: true,
			ConnectTimeout: 60_000, ReadTimeout: 60_000,
		}
		if err := decode(e, s); err != nil {
			return err
		}
		r.config.Services[s.ID] = s
	}
	return nil
}

func (r *reader) buildRoutes() error {
	for _, e := range r.lists["routes"] {
		route := &Route{StripPath: true, RedirectStatusCode: 426}
		if err := decode(e, route); err != nil {
			return err
		}
		if len(route.Protocols) == 0 {
			route.Protocols = []string{"http", "https"}
		}
		route.Program = r.programs[route.Expression]
		r.config.Routes = append(r.config.Routes, route)
	}
	return nil
}

func (r *reader) buildUpstreams() error {
	byID := map[string]*Upstream{}
	for _, e := range r.lists["upstreams"] {
		u := &Upstream{Algorithm: "round-robin"}
		if err := decode(e, u); err != nil {
			return err
		}
		byID[u.ID], r.config.Upstreams[u.Name] = u, u
	}
	for _, e := range r.lists["targets"] {
		t := &Target{Weight: 100}
		if err := decode(e, t); err != nil {
			return err
		}
		var err error
		if t.Host, t.Port, err = splitTarget(t.Target); err != nil {
			return fmt.Errorf("target %s: %w", t.Target, err)
		}
		u := byID[t.UpstreamID]
		u.Targets = append(u.Targets, t)
	}
	return nil
}

func (r *reader) buildPlugins() error {
	for _, e := range r.lists["plugins"] {
		p := &Plugin{Enabled: true, Config: TerminationConfig{StatusCode: 503}, Answer: answerOf(e)}
		shallow := Entity{}
		for key, value := range e {
			// A consumer may be a name or an object, and only one plugin's
			// config has a type here.
			if key != "consumer" && (key != "config" || e["name"] == Termination) {
				shallow[key] = value
			}
		}
		if e["consumer"] != nil {
			shallow["consumer"] = fmt.Sprint(e["consumer"])
		}
		if err := decode(shallow, p); err != nil {
			return err
		}
		if p.Enabled {
			r.config.Plugins = append(r.config.Plugins, p)
		}
	}
	return nil
}
