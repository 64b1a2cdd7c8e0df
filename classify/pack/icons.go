package pack

import "path/filepath"

// readIcons reads the brands of simple-icons. The page is the one where the picture was found, so
// that it is the brand's own only when the name fits.
func readIcons(path string, f *facts) error {
	file, err := existing(filepath.Join(path, "data/simple-icons.json"), filepath.Join(path, "_data/simple-icons.json"), path)
	if err != nil {
		return err
	}
	var brands []struct {
		Title, Source, Guidelines string
	}
	if err := readJSON(file, &brands); err != nil {
		return err
	}
	for _, b := range brands {
		c := claim{name: b.Title}
		for _, page := range []string{b.Source, b.Guidelines} {
			if host, _ := homePage(page); fits(b.Title, host) && len(c.domains) == 0 {
				c.domains = []string{registrable(host)}
			}
		}
		f.claim(c)
	}
	return nil
}
