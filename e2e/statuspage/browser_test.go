package statuspage

import (
	"context"
	"flag"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

var images = flag.Bool("images", false, "write the screenshots of the manual")

// width is the width of the window in pixels.
const width = 1360

// within is how long the page may take to show something.
const within = 30 * time.Second

// browser is one tab of a Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu sync.Mutex
	// complaints are errors and violations of the content security policy, elsewhere are requests to
	// other origins. requests counts all.
	complaints, elsewhere []string
	requests              int
}

// open opens a page in a new Chromium. It skips the test if Chromium is not installed.
func open(t *testing.T, url string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lab.Skip(t, "no chromium is on PATH: the status page is not tested in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(width, 900))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &browser{t: t, ctx: ctx}
	origin := strings.Join(strings.SplitN(url, "/", 4)[:3], "/")
	// The first run starts the browser and must not end with a time limit.
	if err := chromedp.Do(ctx, command(log.Enable, cdp.Empty{}), command(network.Enable, network.EnableParams{})); err != nil {
		t.Fatal(err)
	}
	go each(chromedp.Events(ctx, log.EntryAdded), func(e log.EventEntryAdded) {
		if e.Entry.Level == log.EntryLevelError {
			b.note(&b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	})
	go each(chromedp.Events(ctx, runtime.ExceptionThrown), func(e runtime.EventExceptionThrown) { b.note(&b.complaints, e.ExceptionDetails.Text) })
	go each(chromedp.Events(ctx, network.RequestWillBeSent), func(e network.EventRequestWillBeSent) {
		if !strings.HasPrefix(e.Request.URL, origin+"/") {
			b.note(&b.elsewhere, e.Request.URL)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.requests++
	})
	b.run(chromedp.Navigate(url))
	return b
}

// command is a command of the protocol as an action.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// each calls a function with each event until the browser ends.
func each[E any](events iter.Seq2[E, error], do func(E)) {
	for event, err := range events {
		if err != nil {
			return
		}
		do(event)
	}
}

func (b *browser) note(list *[]string, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, text)
}

// check fails the test if the page complained or asked another origin.
func (b *browser) check() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.requests == 0 {
		b.t.Error("no request of the browser was seen")
	}
	if len(b.complaints)+len(b.elsewhere) > 0 {
		b.t.Errorf("the browser complains %q, and asks %q", b.complaints, b.elsewhere)
	}
}

func (b *browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*within)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// text returns the text that a reader sees of the first element that a selector finds; "" for none.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return evaluate[string](b, `(e => e?.innerText ?? e?.textContent ?? "")(document.querySelector(`+quote(selector)+`))`)
}

// texts returns the texts of all elements that a selector finds.
func (b *browser) texts(selector string) []string {
	b.t.Helper()
	return evaluate[[]string](b, `[...document.querySelectorAll(`+quote(selector)+`)].map((e) => e.innerText)`)
}

// evaluate returns the value of a script.
func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*within)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }

// shows waits until the text of an element has a part.
func (b *browser) shows(selector, part string) {
	b.t.Helper()
	eventually.True(b.t, within, selector+" shows "+part, func() bool { return strings.Contains(b.text(selector), part) })
}

// click clicks an element and waits until another one is visible.
func (b *browser) click(selector, then string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
}

// press presses the key of a character, as a keyboard does: the page can prevent that it is typed.
func (b *browser) press(key, code string) {
	b.t.Helper()
	b.run(command(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: code, Text: key}),
		command(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code}))
}

// dark chooses the color scheme.
func (b *browser) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.run(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
}

// picture writes a screenshot of the whole page for the manual, if the flag asks for it.
func (b *browser) picture(name string) {
	b.t.Helper()
	height := evaluate[int64](b, `document.documentElement.scrollHeight`)
	b.run(chromedp.EmulateViewport(width, height))
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.EmulateViewport(width, 900))
	if len(image) == 0 {
		b.t.Fatal("the screenshot is empty")
	}
	if !*images {
		return
	}
	dir := filepath.Join("..", "..", "docs", "images")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
