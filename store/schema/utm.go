package schema

// UTM is [edit security utm]: lists of web addresses, and the names of web filters that go with
// them in configurations of the guide.
type UTM struct {
	CustomObjects  UTMObjects  `cfg:"custom-objects" help:"Lists of web addresses"`
	FeatureProfile UTMFeatures `cfg:"feature-profile" help:"Web filters"`
	Policies       []UTMPolicy `cfg:"utm-policy" help:"Web filters for policies to name"`
}

// UTMObjects is [edit security utm custom-objects].
type UTMObjects struct {
	Patterns   []URLPattern  `cfg:"url-pattern" help:"List of patterns of web addresses"`
	Categories []URLCategory `cfg:"custom-url-category" help:"Category of web addresses, for policies to match"`
}

// URLPattern is [edit security utm custom-objects url-pattern NAME].
type URLPattern struct {
	Name  string   `cfg:"name,key" help:"Name of the list" range:"1..59"`
	Value []string `cfg:"value" help:"Patterns (www.example.com, http://*.example.com, example.com/path, 203.0.113.10)"`
}

// URLCategory is [edit security utm custom-objects custom-url-category NAME].
type URLCategory struct {
	Name  string   `cfg:"name,key" help:"Name of the category" range:"1..59"`
	Value []string `cfg:"value" help:"Lists of patterns" ref:"security utm custom-objects url-pattern"`
	File  string   `cfg:"file" help:"File on the gateway with a host or address in each line; read at every commit and start"`
}

// UTMFeatures is [edit security utm feature-profile].
type UTMFeatures struct {
	WebFiltering WebFiltering `cfg:"web-filtering" help:"Web filters"`
}

// WebFiltering is [edit security utm feature-profile web-filtering]. Categories work without it:
// their lists are the gateway's own.
type WebFiltering struct {
	Type     string          `cfg:"type,inert" help:"Where categories come from" enum:"juniper-enhanced juniper-local"`
	Enhanced WebFilterRemote `cfg:"juniper-enhanced" help:"Categories of a remote service"`
	Local    WebFilterLocal  `cfg:"juniper-local" help:"Categories of the gateway"`
}

// WebFilterRemote is [edit … web-filtering juniper-enhanced].
type WebFilterRemote struct {
	Cache WebFilterCache `cfg:"cache" help:"Answers that are remembered"`
}

// WebFilterCache is [edit … juniper-enhanced cache].
type WebFilterCache struct {
	Size    uint32 `cfg:"size,inert" help:"Answers" unit:"kilobytes" range:"0..4096"`
	Timeout uint32 `cfg:"timeout,inert" help:"Time that an answer is remembered" unit:"seconds" range:"1..1800"`
}

// WebFilterLocal is [edit … web-filtering juniper-local].
type WebFilterLocal struct {
	Profiles []WebFilterProfile `cfg:"profile" help:"Web filter"`
}

// WebFilterProfile is [edit … juniper-local profile NAME].
type WebFilterProfile struct {
	Name       string              `cfg:"name,key" help:"Name of the profile" range:"1..59"`
	Categories []WebFilterCategory `cfg:"category" help:"What happens to a category"`
}

// WebFilterCategory is [edit … profile NAME category NAME].
type WebFilterCategory struct {
	Name   string `cfg:"name,key" help:"Category" ref:"security utm custom-objects custom-url-category"`
	Action string `cfg:"action,inert" help:"What happens to a request" enum:"block log-and-permit permit quarantine"`
}

// UTMPolicy is [edit security utm utm-policy NAME].
type UTMPolicy struct {
	Name         string             `cfg:"name,key" help:"Name of the policy" range:"1..29"`
	WebFiltering UTMPolicyWebFilter `cfg:"web-filtering" help:"Web filter"`
}

// UTMPolicyWebFilter is [edit security utm utm-policy NAME web-filtering].
type UTMPolicyWebFilter struct {
	Profile string `cfg:"http-profile,inert" help:"Web filter for requests" ref:"security utm feature-profile web-filtering juniper-local profile"`
}
