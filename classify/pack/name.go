package pack

import (
	"hash/fnv"
	"strings"
)

// letters of European alphabets, and signs, as they are written in names.
var spelt = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "Ä", "AE", "Ö", "OE", "Ü", "UE",
	"à", "a", "á", "a", "â", "a", "ã", "a", "å", "a", "ą", "a", "ç", "c", "ć", "c", "č", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ę", "e", "ě", "e", "ì", "i", "í", "i", "î", "i", "ï", "i", "ł", "l", "ñ", "n", "ń", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o",
	"ø", "o", "ř", "r", "ś", "s", "š", "s", "ş", "s", "ù", "u", "ú", "u", "û", "u", "ý", "y", "ź", "z", "ż", "z", "ž", "z",
	"É", "E", "Š", "S", "Ž", "Z", "Č", "C", "Ø", "O", "Å", "A", "Ö", "O", "ı", "i", "ğ", "g",
	"&", " AND ", "+", " PLUS ", "'", "", "’", "", "!", "",
)

// maxName is the longest name of an application, in bytes.
const maxName = 48

// applicationName makes an application's name of a title: upper case, words joined by "-". It is
// "" when the title has no letter or digit of the Latin alphabet.
func applicationName(title string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToUpper(spelt.Replace(title)) {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap = false
			continue
		}
		gap = true
	}
	name := b.String()
	if len(name) > maxName {
		name = strings.TrimRight(name[:maxName], "-")
	}
	return name
}

// plain is a name as it is compared: small letters and digits only.
func plain(name string) string {
	return strings.ToLower(strings.ReplaceAll(applicationName(name), "-", ""))
}

// FirstImported is the smallest number of an imported application; smaller ones are of the core.
const FirstImported = 1 << 16

// number is the number that stays with an imported application as long as it keeps its name, from
// one build to the next: the one it had, or one that follows from the name, or is the next one free.
func (m *merger) number(name string) uint32 {
	n, known := m.options.Numbers[name]
	if !known {
		h := fnv.New32a()
		h.Write([]byte(name))
		n = h.Sum32()
	}
	for n < FirstImported || m.numbers[n] || !known && m.recorded[n] {
		n++
	}
	m.numbers[n] = true
	return n
}
