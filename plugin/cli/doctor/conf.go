package doctor

import (
	"bufio"
	"os"
	"strings"
)

// setting is a line of kong.conf.
type setting struct{ name, value string }

// readConf reads the settings of a kong.conf. A line that ends with a backslash continues.
func readConf(path string) (all []setting, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	before := ""
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if part, continues := strings.CutSuffix(line, "\\"); continues {
			before += part
			continue
		}
		line, before = before+line, ""
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			all = append(all, setting{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return all, lines.Err()
}

// normalized removes the spaces around the elements of a list, and in front of flags.
func normalized(value string) string {
	elements := strings.Split(value, ",")
	for i, e := range elements {
		elements[i] = strings.Join(strings.Fields(e), " ")
	}
	return strings.Join(elements, ",")
}
