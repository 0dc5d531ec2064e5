package statuspage

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// What the page shows is what the gateway does: before a change, and after it without a reload.
func TestThePageShowsWhatTheGatewayDoes(t *testing.T) {
	first, second, blog := backend(t), backend(t), backend(t)
	g := start(t, map[string]string{
		"shop": testdata(t, "shop.yaml"), "service": service("shop", "shop", first), "blog": service("blog", "blog", blog),
		"tls": keyPair("shop", "shop-tls", "shop.example"),
	})
	g.Eventually("the page is served", func() bool {
		answer, err := http.Get(g.page)
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	b := open(t, g.page+"/")
	b.shows("#state", "In effect")
	b.shows("#certificates", "shop-tls")
	b.shows("#attention", "No object has a fault")
	b.shows("#live", "live")
	if workers := b.texts("#workers tbody tr"); len(workers) != 2 || !strings.Contains(workers[0], "current") {
		t.Errorf("the workers are %q", workers)
	}

	// a row of the table, its route, its endpoint, and who answers
	b.run(chromedp.Navigate(g.page + "/routes?q=cart"))
	b.click("a.row", ".picture svg")
	b.shows("h1", "shop.example")
	b.shows("h1", "/cart")
	for _, plugin := range []string{"correlation-id", "rate-limiting"} {
		b.shows("#route", plugin)
	}
	b.shows(".picture svg", first)
	b.shows("#route", first)
	if status, from := g.ask(t, "shop.example", "/cart"); status != http.StatusOK || from != first {
		t.Errorf("the page shows %s, and %d comes from %s", first, status, from)
	}
	g.write(t, "service", service("shop", "shop", second))
	b.shows(".picture svg", second)
	if text := b.text("#route"); strings.Contains(text, first) {
		t.Errorf("the former endpoint is still shown: %s", text)
	}
	if status, from := g.ask(t, "shop.example", "/cart"); status != http.StatusOK || from != second {
		t.Errorf("the page shows %s, and %d comes from %s", second, status, from)
	}

	// a route that is gone
	gone := b.text("h1")
	g.write(t, "shop", strings.Replace(testdata(t, "shop.yaml"), "/cart", "/basket", 1))
	b.run(chromedp.Navigate(g.page + "/routes?q=shop.example"))
	b.shows("#results", "/basket")
	if rows := strings.Join(b.texts("#results tbody tr"), "\n"); strings.Contains(rows, "/cart") {
		t.Errorf("%s is still shown: %s", gone, rows)
	}
	b.check()
}

// A refused object, an object with a fault, and what to do are shown as they come and go.
func TestThePageShowsFaultsAsTheyComeAndGo(t *testing.T) {
	blog, shop := backend(t), backend(t)
	g := start(t, map[string]string{
		"shop": testdata(t, "shop.yaml"), "service": service("shop", "shop", shop, backend(t)), "blog": service("blog", "blog", blog),
		"tls": keyPair("shop", "shop-tls", "shop.example"),
	})
	g.Eventually("the page is served", func() bool {
		answer, err := http.Get(g.page)
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	b := open(t, g.page+"/")
	b.shows("#state", "In effect")
	g.write(t, "faults", testdata(t, "faults.yaml"))
	for _, part := range []string{"blog/limit", "config.minutes: unknown field", "Correct the field that Kong names.", "ServiceNotFound", "spec.rules[0].http.paths[0].backend.service.name"} {
		b.shows("#attention", part)
	}
	b.shows("#state", "without what is refused")
	b.shows("#changes", "blog/drafts")
	if status, _ := g.ask(t, "drafts.example", "/"); status == http.StatusOK {
		t.Errorf("the route of the refused plugin answers %d", status)
	}
	b.picture("status-page")
	b.dark(true)
	b.picture("status-page-dark")
	b.dark(false)

	b.run(chromedp.Navigate(g.page + "/routes"))
	b.shows("#results", "refused")
	b.picture("status-page-routes")
	b.run(chromedp.Navigate(g.page + "/routes?q=api.example"))
	b.click("a.row", ".picture svg")
	b.shows(".picture svg", "weight 9, not checked")
	b.picture("status-page-route")
	b.run(chromedp.Navigate(g.page + "/changes"))
	b.shows("h1", "Changes")
	b.shows("#changes", "blog/drafts")

	b.run(chromedp.Navigate(g.page + "/"))
	g.write(t, "faults", "")
	b.shows("#attention", "No object has a fault")
	b.check()
}

// Ten thousand routes stay usable: by search, by page, by keyboard.
func TestThePageOfTenThousandRoutes(t *testing.T) {
	const objects, paths = 1000, 10
	g := start(t, map[string]string{"many": manyRoutes(objects, paths), "service": service("shop", "shop", backend(t))})
	g.Eventually("all routes are in effect", func() bool {
		status, from := g.ask(t, fmt.Sprintf("host%d.example", objects-1), fmt.Sprintf("/path%d", paths-1))
		return status == http.StatusOK && from != ""
	})
	b := open(t, g.page+"/routes")
	b.shows("#count", "10\u202f000 routes")
	if rows := b.texts("#results tbody tr"); len(rows) != 50 {
		t.Errorf("%d rows are on the first page", len(rows))
	}
	b.shows(".pages", "Page 1 of 200")

	// "/" starts the search, ↓ leads into the table, Enter opens the route.
	b.press("/", "Slash")
	b.run(chromedp.KeyEvent("host777 path3"))
	b.shows("#count", "1 of 10\u202f000 routes")
	b.picture("status-page-search")
	b.run(chromedp.KeyEvent(kb.ArrowDown))
	if focus := evaluate[string](b, `document.activeElement.innerText`); focus != "host777.example" {
		t.Errorf("the focus is on %q", focus)
	}
	b.run(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".picture svg")))
	b.shows("h1", "/path3")

	b.run(chromedp.Navigate(g.page+"/routes?page=200"), chromedp.WaitVisible(chromedp.CSS("a[rel=prev]")))
	last := b.texts("#results tbody tr")
	b.run(chromedp.Click(chromedp.CSS("a[rel=prev]")))
	b.shows(".pages", "Page 199 of 200")
	if before := b.texts("#results tbody tr"); len(before) != 50 || slices.Equal(before, last) {
		t.Errorf("the page before the last has %d rows", len(before))
	}

	// A change arrives while the table is open.
	b.run(chromedp.Navigate(g.page + "/routes?q=added"))
	b.shows("#results", "No route has all of these words")
	g.write(t, "added", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: added, namespace: shop}\nspec:\n  ingressClassName: kong\n"+
		"  rules:\n  - host: added.example\n    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}\n")
	eventually.True(t, within, "the new route is shown", func() bool { return strings.Contains(b.text("#results tbody"), "added.example") })
	b.check()
	took := evaluate[float64](b, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/routes")).reduce((sum, e) => Math.max(sum, e.duration), 0)`)
	t.Logf("the table of 10 001 routes was replaced in %.0f ms after a change", took)
}

func manyRoutes(objects, paths int) string {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	for n := range objects {
		fmt.Fprintf(&text, "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: many%[1]d, namespace: shop}\nspec:\n  ingressClassName: kong\n  rules:\n  - host: host%[1]d.example\n    http:\n      paths:\n", n)
		for m := range paths {
			fmt.Fprintf(&text, "      - {path: /path%d, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}\n", m)
		}
	}
	return text.String()
}
