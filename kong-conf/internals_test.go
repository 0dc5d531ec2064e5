package kongconf_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const luaRoot = "lua/kong"

// luaPart is a part of a plugin in internals_list.lua: the internals that its files may use.
type luaPart struct {
	name      string
	files     []string
	otherwise string
	// Paths by module, such as "redis.usage>get_db_key", without what is expected of them.
	modules map[string][]string
	// By category: ctx, vars, locations, settings, methods, symbols.
	words map[string][]string
	// Fields by the variable that holds an object.
	objects map[string][]string
}

var (
	luaParts     = regexp.MustCompile(`(?ms)^  \["(kube-sync-[a-z_/-]+)"\] = \{\n(.*?)^  \},`)
	luaText      = `("[^"]*"(?:\s*\.\. "[^"]*")*|(?s:\[\[.*?\]\]))`
	luaCategory  = regexp.MustCompile(`(?m)^    ([a-z]+) = ` + luaText)
	luaModules   = regexp.MustCompile(`(?ms)^    modules = \{(.*?)\},?\n    [a-z}]|(?ms)^    modules = \{(.*?)\},?\s*\z`)
	luaModule    = regexp.MustCompile(`\["([\w.-]+)"\] = ` + luaText)
	luaObjects   = regexp.MustCompile(`(?ms)^    objects = \{(.*?)\},`)
	luaObject    = regexp.MustCompile(`(\w+) = "([^"]*)"`)
	luaJoin      = regexp.MustCompile(`"\s*\.\. "`)
	luaComment   = regexp.MustCompile(`--.*`)
	luaFirstStep = regexp.MustCompile(`^\w+`)
)

func luaWordsOf(text string) []string {
	text = luaJoin.ReplaceAllString(text, "")
	return strings.Fields(strings.Trim(text, `"[]`))
}

// listedInternals reads internals_list.lua.
func listedInternals(t *testing.T) []luaPart {
	t.Helper()
	list := readFile(t, luaRoot+"/kube_sync/internals_list.lua")
	var parts []luaPart
	for _, found := range luaParts.FindAllStringSubmatch(list, -1) {
		part := luaPart{name: found[1], modules: map[string][]string{}, words: map[string][]string{}, objects: map[string][]string{}}
		for _, category := range luaCategory.FindAllStringSubmatch(found[2], -1) {
			words := luaWordsOf(category[2])
			switch category[1] {
			case "files":
				part.files = words
			case "otherwise":
				part.otherwise = strings.Join(words, " ")
			default:
				part.words[category[1]] = words
			}
		}
		if body := luaModules.FindStringSubmatch(found[2]); body != nil {
			for _, module := range luaModule.FindAllStringSubmatch(body[1]+body[2], -1) {
				part.modules[module[1]] = []string{}
				for _, requirement := range luaWordsOf(module[2]) {
					path, _, _ := strings.Cut(requirement, "=")
					path, _, _ = strings.Cut(path, "/")
					part.modules[module[1]] = append(part.modules[module[1]], path)
				}
			}
		}
		if body := luaObjects.FindStringSubmatch(found[2]); body != nil {
			for _, object := range luaObject.FindAllStringSubmatch(body[1], -1) {
				part.objects[object[1]] = strings.Fields(object[2])
			}
		}
		parts = append(parts, part)
	}
	if n := strings.Count(list, "files = "); n == 0 || n != len(parts) {
		t.Fatalf("%d of %d parts of internals_list.lua are read", len(parts), n)
	}
	return parts
}

// Public interfaces: those that Kong documents for plugins, and those of Lua and OpenResty.
var (
	publicModules  = []string{"kong.db.schema.typedefs", "resty.lrucache"}
	publicPDK      = []string{"client", "configuration", "ctx", "db", "log", "request", "response", "service", "version"}
	publicSettings = []string{"lua_max_uri_args", "prefix", "router_flavor"}
	publicMethods  = strings.Fields(`find match gmatch gsub sub byte lower upper format rep read close post wait
		get set add delete incr safe_add safe_set lpop rpush llen select each cache_key`)
)

var (
	luaRequire   = regexp.MustCompile(`\brequire\b\s*[(,]?\s*(?:"([^"]*)")?`)
	luaDebug     = regexp.MustCompile(`\bdebug\.(\w+)`)
	luaPackage   = regexp.MustCompile(`\bpackage\.\w+`)
	luaOf        = regexp.MustCompile(`require\("kong\.kube_sync\.internals"\)\.of\("([^"]+)"\)`)
	luaLocal     = regexp.MustCompile(`local (\w+) = internals\.module\("([^"]+)"\)\n`)
	luaMember    = regexp.MustCompile(`internals\.module\("([^"]+)"\)(?:\.(\w+))?`)
	luaPath      = regexp.MustCompile(`internals\.(?:get|replace)\("([^"]+)", "([^"]+)"`)
	luaCtx       = regexp.MustCompile(`(\bkong\.)?\bctx\.(\w+)`)
	luaVar       = regexp.MustCompile(`\bvar\.((?:kong|upstream)_\w+)`)
	luaShared    = regexp.MustCompile(`\bngx\.shared\.(\w+)`)
	luaLocation  = regexp.MustCompile(`"(@\w+)"`)
	luaSetting   = regexp.MustCompile(`\bkong\.configuration\.(\w+)`)
	luaConf      = regexp.MustCompile(`\bconf\.(\w+)`)
	luaPDK       = regexp.MustCompile(`\bkong(?:\.(\w+)|\[)`)
	luaAssigned  = regexp.MustCompile(`(?m)^\s*(?:function )?((?:kong|ngx)\.[\w.]+)(?: = |\()`)
	luaCalled    = regexp.MustCompile(`(?m)^\s*(?:kong|ngx)\.[\w.]+\(`)
	luaMethod    = regexp.MustCompile(`[\w\])]:(\w+)\(`)
	luaOwnMethod = regexp.MustCompile(`function [\w.]+:(\w+)\(`)
	luaSymbol    = regexp.MustCompile(`\bC\.(\w+)`)
	luaStrings   = regexp.MustCompile(`"[^"\n]*"`)
)

// luaScan finds the internals that a file uses although its part does not list them.
type luaScan struct {
	part      luaPart
	ownMethod []string
	objects   []string
	found     []string
}

func (s *luaScan) unlisted(kind, name string, listed ...string) {
	if !slices.Contains(listed, name) {
		s.found = append(s.found, kind+" "+name)
	}
}

// scan looks through a source without comments.
func (s *luaScan) scan(source string) {
	s.modules(source)
	s.paths(source)
	s.fields(luaStrings.ReplaceAllString(source, `""`))
	for _, location := range luaLocation.FindAllStringSubmatch(source, -1) {
		s.unlisted("location", location[1], s.part.words["locations"]...)
	}
}

func (s *luaScan) modules(source string) {
	for _, required := range luaRequire.FindAllStringSubmatch(source, -1) {
		name := required[1]
		own := strings.HasPrefix(name, "kong.plugins.kube-sync-") || strings.HasPrefix(name, "kong.kube_sync.")
		internal := name == "" || name == "kong" || name == "socket.core" || strings.HasPrefix(name, "kong.") || strings.HasPrefix(name, "resty.")
		if internal && !own {
			s.unlisted("require", name, publicModules...)
		}
	}
	for _, use := range luaDebug.FindAllStringSubmatch(source, -1) {
		s.unlisted("debug", use[1], "traceback")
	}
	for _, use := range luaPackage.FindAllString(source, -1) {
		s.unlisted("table", use)
	}
	for _, of := range luaOf.FindAllStringSubmatch(source, -1) {
		s.unlisted("part", of[1], s.part.name)
	}
}

func (s *luaScan) paths(source string) {
	member := func(module, field string) {
		paths, listed := s.part.modules[module]
		if !listed {
			s.unlisted("module", module)
			return
		}
		for _, path := range paths {
			if luaFirstStep.FindString(path) == field {
				return
			}
		}
		s.unlisted("field", module+"."+field)
	}
	for _, local := range luaLocal.FindAllStringSubmatch(source, -1) {
		for _, use := range regexp.MustCompile(`[^.\w"]`+local[1]+`[.:](\w+)`).FindAllStringSubmatch(source, -1) {
			member(local[2], use[1])
		}
	}
	for _, use := range luaMember.FindAllStringSubmatch(source, -1) {
		if use[2] != "" {
			member(use[1], use[2])
		} else if _, listed := s.part.modules[use[1]]; !listed {
			s.unlisted("module", use[1])
		}
	}
	for _, use := range luaPath.FindAllStringSubmatch(source, -1) {
		s.unlisted("path "+use[1], use[2], s.part.modules[use[1]]...)
	}
}

// fields looks at what is used in place, in a source without strings.
func (s *luaScan) fields(source string) {
	words := s.part.words
	for _, use := range luaCtx.FindAllStringSubmatch(source, -1) {
		if use[1] == "" && !strings.HasPrefix(use[2], "kube_sync_") {
			s.unlisted("ctx", use[2], words["ctx"]...)
		}
	}
	for _, use := range luaVar.FindAllStringSubmatch(source, -1) {
		s.unlisted("var", use[1], words["vars"]...)
	}
	for _, use := range luaShared.FindAllStringSubmatch(source, -1) {
		s.unlisted("path ngx", "shared."+use[1], s.part.modules["ngx"]...)
	}
	settings := luaSetting.FindAllStringSubmatch(source, -1)
	if strings.Contains(source, "local conf = kong.configuration") {
		settings = append(settings, luaConf.FindAllStringSubmatch(source, -1)...)
	}
	for _, use := range settings {
		s.unlisted("setting", use[1], append(words["settings"], publicSettings...)...)
	}
	s.globals(source)
	for _, use := range luaMethod.FindAllStringSubmatch(source, -1) {
		s.unlisted("method", use[1], slices.Concat(words["methods"], publicMethods, s.ownMethod)...)
	}
	for _, use := range luaSymbol.FindAllStringSubmatch(source, -1) {
		if !strings.HasPrefix(use[1], "kube_sync_") {
			s.unlisted("symbol", use[1], words["symbols"]...)
		}
	}
	for _, object := range s.objects {
		for _, use := range regexp.MustCompile(`\b`+object+`\.(\w+)`).FindAllStringSubmatch(source, -1) {
			s.unlisted("object "+object, use[1], s.part.objects[object]...)
		}
	}
}

func (s *luaScan) globals(source string) {
	var first []string
	for _, path := range s.part.modules["PDK"] {
		first = append(first, luaFirstStep.FindString(path))
	}
	for _, use := range luaPDK.FindAllStringSubmatch(source, -1) {
		if use[1] == "" {
			s.unlisted("kong", "core_cache", first...)
			continue
		}
		s.unlisted("kong", use[1], append(first, publicPDK...)...)
	}
	for _, use := range luaAssigned.FindAllStringSubmatch(source, -1) {
		own := strings.HasPrefix(use[1], "ngx.var.") || strings.HasPrefix(use[1], "ngx.ctx.kube_sync_") || strings.HasPrefix(use[1], "kong.ctx.plugin.")
		if !own && !luaCalled.MatchString(use[0]) {
			s.unlisted("assignment to", use[1])
		}
	}
}

// luaSources returns the Lua files below the root by their paths, without comments. It leaves out
// internals.lua and its list.
func luaSources(t *testing.T) map[string]string {
	t.Helper()
	sources := map[string]string{}
	for _, pattern := range []string{"kube_sync/*.lua", "plugins/*/*.lua"} {
		files, err := filepath.Glob(filepath.Join(luaRoot, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			name, err := filepath.Rel(luaRoot, file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "kube_sync/internals") {
				sources[name] = luaComment.ReplaceAllString(readFile(t, file), "")
			}
		}
	}
	return sources
}

// TestInternalsAreListed looks in the Lua sources for internals of Kong and OpenResty that
// internals_list.lua does not list for them.
func TestInternalsAreListed(t *testing.T) {
	byFile, objects := map[string]luaPart{}, map[string]bool{}
	for _, part := range listedInternals(t) {
		plugin, _, _ := strings.Cut(part.name, "/")
		for _, file := range part.files {
			path := "plugins/" + plugin + "/" + file + ".lua"
			if _, err := os.Stat(filepath.Join(luaRoot, path)); err != nil || byFile[path].name != "" {
				t.Errorf("%s: file %s does not exist, or is in %q, too (%v)", part.name, file, byFile[path].name, err)
			}
			byFile[path] = part
		}
		for object := range part.objects {
			objects[object] = true
		}
	}
	sources := luaSources(t)
	var methods []string
	for _, source := range sources {
		for _, own := range luaOwnMethod.FindAllStringSubmatch(source, -1) {
			methods = append(methods, own[1])
		}
	}
	for path, source := range sources {
		part := byFile[path]
		if path == "plugins/kube-sync-delta/handler.lua" { // compares the version with those of two parts
			source = luaOf.ReplaceAllString(source, "parts")
		}
		s := luaScan{part: part, ownMethod: methods, objects: slices.Sorted(maps.Keys(objects))}
		s.scan(source)
		for _, found := range s.found {
			t.Errorf("%s uses an internal that internals_list.lua does not list for part %q: %s", path, part.name, found)
		}
	}
}

// TestListedInternalsAreUsed finds listed internals that are no longer used.
func TestListedInternalsAreUsed(t *testing.T) {
	for _, part := range listedInternals(t) {
		plugin, _, _ := strings.Cut(part.name, "/")
		var all strings.Builder
		for _, file := range part.files {
			all.WriteString(luaComment.ReplaceAllString(readFile(t, filepath.Join(luaRoot, "plugins", plugin, file+".lua")), ""))
		}
		used := func(kind, word string) {
			if !regexp.MustCompile(regexp.QuoteMeta(word) + `\b`).MatchString(all.String()) {
				t.Errorf("%s lists %s %s but does not use it", part.name, kind, word)
			}
		}
		for module, paths := range part.modules {
			if module != "PDK" && module != "ngx" {
				used("module", module)
			}
			for _, path := range paths {
				steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '>' })
				used("path "+path, steps[len(steps)-1])
			}
		}
		for kind, words := range part.words {
			for _, word := range words {
				if kind != "registry" && kind != "version" {
					used(kind, word)
				}
			}
		}
		for object, fields := range part.objects {
			for _, field := range fields {
				used("object "+object, "."+field)
			}
		}
	}
}

// TestUnlistedInternalsAreFound scans an example of each way to use an internal that is not listed.
func TestUnlistedInternalsAreFound(t *testing.T) {
	part := luaPart{name: "kube-sync-x/part", modules: map[string][]string{"kong.listed": {"fn>up"}}}
	for source, want := range map[string]string{
		`local x = require "kong.router"`:                                      "require kong.router",
		`local x = require("resty.lmdb").get`:                                  "require resty.lmdb",
		`local ok, x = pcall(require, "kong.tools.ip")`:                        "require kong.tools.ip",
		`local x = require(name)`:                                              "require ",
		`local x = debug.getupvalue(fn, 1)`:                                    "debug getupvalue",
		`local x = package.loaded[name]`:                                       "table package.loaded",
		`local i = require("kong.kube_sync.internals").of("kube-sync-y/part")`: "part kube-sync-y/part",
		`local x = internals.module("kong.router")`:                            "module kong.router",
		`local x = internals.module("kong.listed").other`:                      "field kong.listed.other",
		"local x = internals.module(\"kong.listed\")\nx.other()":               "field kong.listed.other",
		"local x = internals.module(\"kong.listed\")\nreturn x:other()":        "field kong.listed.other",
		`internals.get("kong.listed", "fn>other")`:                             "path kong.listed fn>other",
		`internals.replace("kong.listed", "fn", make)`:                         "path kong.listed fn",
		`local r = ngx.ctx.route`:                                              "ctx route",
		`ctx.host_port = 1`:                                                    "ctx host_port",
		`local v = var.upstream_uri`:                                           "var upstream_uri",
		`ngx.shared.kong_locks:get(1)`:                                         "path ngx shared.kong_locks",
		`exec("@grpc")`:                                                        "location @grpc",
		`local s = kong.configuration.kong_env`:                                "setting kong_env",
		"local conf = kong.configuration\nprint(conf.socket_path)":             "setting socket_path",
		`kong.core_cache:get(1)`:                                               "kong core_cache",
		`local c = kong[store]`:                                                "kong core_cache",
		`kong.client.authenticate = other`:                                     "assignment to kong.client.authenticate",
		"function kong.client.authenticate(x)":                                 "assignment to kong.client.authenticate",
		`ngx.req.read_body = other`:                                            "assignment to ngx.req.read_body",
		`balancer:changeWeight(1)`:                                             "method changeWeight",
		`C.SSL_free(x)`:                                                        "symbol SSL_free",
		`local t = balancer.targets`:                                           "object balancer targets",
	} {
		s := luaScan{part: part, objects: []string{"balancer"}}
		s.scan(source + "\n")
		if !slices.Contains(s.found, want) {
			t.Errorf("%s: found %q, want %q", source, s.found, want)
		}
	}
	for _, source := range []string{
		`local x = require "kong.kube_sync.quota"`, `local x = require "ffi"`, `internals.assert()`, `internals.get("kong.listed", "fn>up")`,
		`kong.response.exit(503)`, `kong.ctx.plugin.share = 1`, `ngx.ctx.kube_sync_x = 1`, `ngx.sleep(1)`, `local s = ("x"):find("kong.core_cache")`,
	} {
		s := luaScan{part: part}
		s.scan(source + "\n")
		if len(s.found) != 0 {
			t.Errorf("%s: found %q, want nothing", source, s.found)
		}
	}
}

var (
	luaPhase   = regexp.MustCompile(`(?m)^\s*function [A-Z]\w+[.:](\w+)\(|\b(access|preread) = close\b`)
	luaHandler = regexp.MustCompile(`\b(PRIORITY|VERSION) = "?([\w.]+)"?`)
)

// TestLuaPage compares kong-conf/lua/README.md with the plugins: their phases and priorities, and what
// happens on another Kong. All plugins have one version.
func TestLuaPage(t *testing.T) {
	page := readFile(t, "lua/README.md")
	handlers, err := filepath.Glob(filepath.Join(luaRoot, "plugins/*/handler.lua"))
	if err != nil || len(handlers) == 0 {
		t.Fatalf("%d plugins, %v", len(handlers), err)
	}
	versions := map[string][]string{}
	for _, handler := range handlers {
		plugin := filepath.Base(filepath.Dir(handler))
		source := luaComment.ReplaceAllString(readFile(t, handler), "")
		var phases []string
		for _, phase := range luaPhase.FindAllStringSubmatch(source, -1) {
			if name := phase[1] + phase[2]; !slices.Contains(phases, name) {
				phases = append(phases, name)
			}
		}
		fields := map[string]string{}
		for _, field := range luaHandler.FindAllStringSubmatch(source, -1) {
			fields[field[1]] = field[2]
		}
		versions[fields["VERSION"]] = append(versions[fields["VERSION"]], plugin)
		row := fmt.Sprintf("| `%s` | %s | %s |", plugin, strings.Join(phases, ", "), fields["PRIORITY"])
		if !strings.Contains(page, row) {
			t.Errorf("the page has no row %q", row)
		}
	}
	if len(versions) != 1 {
		t.Errorf("the plugins have several versions: %v", versions)
	}
	for _, part := range listedInternals(t) {
		if row := fmt.Sprintf("| `%s` | %s |", part.name, part.otherwise); !strings.Contains(page, row) {
			t.Errorf("the page has no row %q", row)
		}
	}
}
