package track

import "fmt"

// Tag names a kind of record; its String is the message's tag.
type Tag uint8

// systemMessage is the kind of what the gateway says of itself: such a record carries its own tag.
const systemMessage Tag = 0

// The kinds of session records. The history keeps their numbers: a new one goes to the end.
const (
	FlowCreate Tag = iota + 1
	FlowClose
	FlowDeny
	AppCreate
	AppClose
	AppVolumeUpdate
	AppRouteUpdate
	NextHopChange
	SSLDrop
	SSLAllow
	SSLIgnore
	SSLWhitelist
	SSLError
	SSLWarning
	SSLInfo
	AppQoS

	tagCount = iota + 1
)

// tagNames are the tags as they appear in messages.
var tagNames = [tagCount]string{
	FlowCreate:      "RT_FLOW_SESSION_CREATE",
	FlowClose:       "RT_FLOW_SESSION_CLOSE",
	FlowDeny:        "RT_FLOW_SESSION_DENY",
	AppCreate:       "APPTRACK_SESSION_CREATE",
	AppClose:        "APPTRACK_SESSION_CLOSE",
	AppVolumeUpdate: "APPTRACK_SESSION_VOL_UPDATE",
	AppRouteUpdate:  "APPTRACK_SESSION_ROUTE_UPDATE",
	NextHopChange:   "RT_FLOW_NEXTHOP_CHANGE",
	SSLDrop:         "SSL_PROXY_SSL_SESSION_DROP",
	SSLAllow:        "SSL_PROXY_SSL_SESSION_ALLOW",
	SSLIgnore:       "SSL_PROXY_SESSION_IGNORE",
	SSLWhitelist:    "SSL_PROXY_SESSION_WHITELIST",
	SSLError:        "SSL_PROXY_ERROR",
	SSLWarning:      "SSL_PROXY_WARNING",
	SSLInfo:         "SSL_PROXY_INFO",
	AppQoS:          "APPQOS_LOG_EVENT",
}

// String is the tag as it appears in messages.
func (t Tag) String() string {
	if int(t) < len(tagNames) && t != 0 {
		return tagNames[t]
	}
	return fmt.Sprintf("TAG_%d", uint8(t))
}

// MarshalText writes the tag as it appears in messages.
func (t Tag) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a tag as it appears in messages.
func (t *Tag) UnmarshalText(text []byte) error {
	for i, name := range tagNames {
		if i > 0 && name == string(text) {
			*t = Tag(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not a message tag (such as %s)", text, FlowCreate)
}

// Tags returns every tag of session records, in order.
func Tags() []Tag {
	tags := make([]Tag, 0, tagCount-1)
	for t := Tag(1); t < tagCount; t++ {
		tags = append(tags, t)
	}
	return tags
}

// application says whether the record belongs to application tracking.
func (t Tag) application() bool { return t >= AppCreate && t <= NextHopChange }

// decryption says whether the record belongs to the SSL proxy.
func (t Tag) decryption() bool { return t >= SSLDrop && t <= SSLInfo }
