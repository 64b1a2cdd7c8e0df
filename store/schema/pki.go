package schema

// PKI is [edit security pki].
type PKI struct {
	CAProfiles []CAProfile `cfg:"ca-profile" help:"Certificate authority"`
	RootCAPage bool        `cfg:"root-ca-page" help:"Serve the root certificates of SSL proxy profiles over HTTP, on addresses of the gateway where the system service http is accepted"`
}

// CAProfile is [edit security pki ca-profile NAME]: one authority, whose certificate is loaded with
// "request security pki ca-certificate load".
type CAProfile struct {
	Name       string          `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	Identity   string          `cfg:"ca-identity" help:"What the authority is called" range:"1..255" mandatory:"true"`
	Revocation RevocationCheck `cfg:"revocation-check" help:"Whether certificates of this authority are looked up in its revocation lists"`
}

// RevocationCheck is [edit security pki ca-profile NAME revocation-check].
type RevocationCheck struct {
	Disable bool `cfg:"disable" help:"Do not look them up"`
}
