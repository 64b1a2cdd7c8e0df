package pack

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// readTechnologies reads Wappalyzer's technologies and their categories. A technology whose page
// lies deep in a site is the owner's only when the name fits.
func readTechnologies(path string, f *facts) error {
	categories := map[string]struct{ Name string }{}
	if err := readJSON(filepath.Join(path, "categories.json"), &categories); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(path, "technologies/*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errNothing(path, "technologies/*.json")
	}
	for _, file := range files {
		technologies := map[string]struct {
			Cats        []int
			Website     string
			Description string
		}{}
		if err := readJSON(file, &technologies); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(technologies)) {
			t := technologies[name]
			c := claim{name: name, description: firstSentence(t.Description)}
			if host, front := homePage(t.Website); front || fits(name, host) {
				c.domains = []string{registrable(host)}
			}
			for _, number := range t.Cats {
				if c.subject == (subject{}) {
					c.subject = technologySubjects[categories[strconv.Itoa(number)].Name]
				}
			}
			f.claim(c)
		}
	}
	return nil
}

// maxDescription bounds an imported description, in bytes.
const maxDescription = 160

// firstSentence is the first sentence of a text when it is short and plain enough to describe an
// application; or "".
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end+1]
	}
	if len(text) > maxDescription || !strings.HasSuffix(text, ".") {
		return ""
	}
	return text
}
