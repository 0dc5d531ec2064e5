package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// roles are what this executable does when a test starts it as a child.
var roles = map[string]func(args []string){
	// mortal is a process that ends with its parent.
	"mortal": func([]string) {
		if err := EndWithParent(); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		fmt.Println("mortal", os.Getpid())
		time.Sleep(time.Hour) // the test ends it; nothing else runs here, so select{} would be a deadlock
	},
	// parent starts a child in another role, prints its output, and waits.
	"parent": func(args []string) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE="+strings.Join(args, " "))
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		if args[0] != "mortal" {
			_ = cmd.Wait()
			return
		}
		time.Sleep(time.Hour) // the test ends it; nothing else runs here, so select{} would be a deadlock
	},
	// server takes its turn and prints what it does.
	"server": func(args []string) {
		turn, err := Claim(args[0])
		if err != nil {
			panic(err)
		}
		fmt.Println("claimed")
		err = turn.Hold(context.Background(), slog.Default(), func(ctx context.Context) error {
			fmt.Println("applies")
			<-ctx.Done()
			time.Sleep(150 * time.Millisecond) // an active request
			fmt.Println("stopped")
			return context.Cause(ctx)
		})
		fmt.Println("passive:", err)
		time.Sleep(time.Hour) // the test ends it; nothing else runs here, so select{} would be a deadlock
	},
	"logger": func([]string) {
		fmt.Fprintln(os.Stderr, "into the void")
		log := NewLog(slog.LevelInfo, "text")
		log.Info("Seen")
		log.Debug("Not seen")
	},
	"crasher": func([]string) {
		NewLog(slog.LevelInfo, "text")
		panic("the reason of a crash")
	},
}

func TestMain(m *testing.M) {
	if role := strings.Fields(os.Getenv("PROCESS_TEST_ROLE")); len(role) > 0 {
		roles[role[0]](role[1:])
		return
	}
	os.Exit(m.Run())
}

// child is a process whose output a test reads line by line.
type child struct {
	cmd   *exec.Cmd
	lines chan string
}

func start(t *testing.T, role string, stderr io.Writer) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), lines: make(chan string, 100)}
	c.cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE="+role)
	c.cmd.Stderr = stderr
	// A pipe of our own: it stays readable after the child itself is gone.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout = w
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(c.lines)
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			c.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		r.Close()
	})
	return c
}

// says waits for the next line and compares its start.
func (c *child) says(t *testing.T, want string) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok || !strings.HasPrefix(line, want) {
			t.Fatalf("%q (%v), want %q", line, ok, want)
		}
		return line
	case <-time.After(3 * time.Minute):
		t.Fatalf("no %q", want)
	}
	return ""
}

// alive reports whether a process runs. A zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestEndWithParent(t *testing.T) {
	parent := start(t, "parent mortal", nil)
	pid, err := strconv.Atoi(strings.Fields(parent.says(t, "mortal "))[1])
	if err != nil || !alive(pid) {
		t.Fatalf("child %d: %v", pid, err)
	}
	time.Sleep(2 * parentEvery)
	if !alive(pid) {
		t.Fatal("it ended before its parent")
	}
	if err := parent.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.cmd.Wait()
	eventually.True(t, 5*time.Second, "the child ends with its parent", func() bool { return !alive(pid) })
}

func TestNewestApplies(t *testing.T) {
	prefix := t.TempDir()
	first := start(t, "server "+prefix, os.Stderr)
	first.says(t, "claimed")
	first.says(t, "applies")

	second := start(t, "server "+prefix, os.Stderr)
	second.says(t, "claimed")
	first.says(t, "stopped")
	second.says(t, "applies")
	first.says(t, "passive: a newer process")

	// The newest one dies. The oldest one stays passive, and a new one takes over.
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	third := start(t, "server "+prefix, os.Stderr)
	third.says(t, "claimed")
	third.says(t, "applies")
	select {
	case line := <-first.lines:
		t.Errorf("the oldest says %q", line)
	case <-time.After(5 * turnEvery):
	}
	if !alive(first.cmd.Process.Pid) {
		t.Error("the oldest has ended")
	}
}

// Of several processes that start at once, one applies at any time, and the last one in the end.
func TestCrowd(t *testing.T) {
	prefix := t.TempDir()
	crowd := make([]*child, 5)
	for i := range crowd {
		crowd[i] = start(t, "server "+prefix, os.Stderr)
		crowd[i].says(t, "claimed")
	}
	crowd[4].says(t, "applies")
	for i, c := range crowd[:4] {
		for line := range c.lines {
			if strings.HasPrefix(line, "passive") {
				break
			}
			if line != "applies" && line != "stopped" {
				t.Errorf("%d says %q", i, line)
			}
		}
	}
}

func TestLogGoesToTheParent(t *testing.T) {
	path := t.TempDir() + "/error.log"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parent := start(t, "parent logger", file)
	if err := parent.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(log); !strings.Contains(text, "level=INFO msg=Seen") || strings.Contains(text, "Not seen") || strings.Contains(text, "void") {
		t.Errorf("log %q", text)
	}
}

// Kong drops what its plugin servers print, so a crash has to write to its log.
func TestACrashGoesToTheParent(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/error.log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_ = start(t, "parent crasher", file).cmd.Wait()
	log, err := os.ReadFile(file.Name())
	if err != nil || !strings.Contains(string(log), "panic: the reason of a crash") {
		t.Errorf("log %q, error %v", log, err)
	}
}
