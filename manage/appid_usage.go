package manage

import (
	"strings"
	"time"

	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify/appdb"
	"sluice/manage/view"
	"sluice/store/schema"
)

// cachePage is how many entries of the cache are taken at a time: sessions wait that long at most.
const cachePage = 1024

func showApplicationCache(s *Server, r *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	cache := applications.Cache()
	answer := &view.ApplicationCache{Status: cacheStatus(applications), Entries: make([]view.CacheEntry, 0, cache.Len())}
	var at asc.Cursor
	for more := true; more; {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		var page []asc.Entry
		page, at, more = cache.Page(at, cachePage)
		for _, e := range page {
			answer.Entries = append(answer.Entries, cacheEntry(&e))
		}
	}
	return answer, nil
}

func cacheEntry(e *asc.Entry) view.CacheEntry {
	name := e.Application
	if name == "" {
		name = e.Protocol
	}
	return view.CacheEntry{Address: e.Server.Addr(), Port: e.Server.Port(), Protocol: schema.Protocol(e.IPProtocol).String(),
		Application: name, Base: e.Protocol, Left: int64(e.Left / time.Second)}
}

func cacheStatus(applications Applications) view.CacheStatus {
	c := applications.Status().Cache
	return view.CacheStatus{Enabled: c.Enabled, Security: c.SecurityServices, Miscellaneous: c.MiscellaneousServices, Capacity: c.Capacity, Timeout: uint64(c.Timeout / time.Second)}
}

func clearApplicationCache(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	applications.Cache().Flush()
	return &view.Message{Message: "The application system cache is empty"}, nil
}

func showApplicationStatistics(s *Server, r *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	answer, period := s.statistics(applications, r)
	answer.Details = r.args.Has("details")
	for _, row := range applications.Usage().Applications(period) {
		counts := statisticsOf(row.Name, &row.Counts)
		counts.Encrypted = row.Encrypted
		answer.Rows = append(answer.Rows, counts)
	}
	return answer, nil
}

func showGroupStatistics(s *Server, r *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	answer, period := s.statistics(applications, r)
	answer.Groups = true
	for _, row := range applications.GroupUsage(period) {
		answer.Rows = append(answer.Rows, statisticsOf(row.Name, &row.Counts))
	}
	return answer, nil
}

// statistics is the frame of statistics of the interval that r names, or of all time.
func (s *Server) statistics(applications Applications, r *request) (*view.ApplicationStatistics, usage.Period) {
	table := applications.Usage()
	answer := &view.ApplicationStatistics{Reset: table.LastReset(), Rows: []view.StatisticsOfName{}}
	if !r.args.Has("interval") {
		return answer, usage.Cumulative
	}
	number, length := int(r.number("interval")), table.Interval()
	answer.Interval = &number
	answer.From = answer.Reset.Add(max(s.options.Now().Sub(answer.Reset), 0).Truncate(length))
	if number == 0 {
		return answer, usage.Current
	}
	answer.Until = answer.From
	if answer.From.After(answer.Reset) {
		answer.From = answer.From.Add(-length)
	}
	return answer, usage.Past
}

// statisticsOf is a row; names stand without the prefix of what is predefined.
func statisticsOf(name string, c *usage.Counts) view.StatisticsOfName {
	return view.StatisticsOfName{Name: strings.TrimPrefix(name, appdb.Prefix), Sessions: c.Sessions, Bytes: c.Bytes, DPI: c.DPI, PreMatch: c.PreMatch, Limits: c.Limits}
}

func clearApplicationStatistics(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	applications.Usage().Reset()
	return &view.Message{Message: "The statistics of applications and groups are zero"}, nil
}

func showIdentificationCounters(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	c := applications.Counters()
	return &view.AppIDCounters{Counters: []view.Counter{
		{Name: "Sessions under app detection", Value: uint64(max(applications.Status().UnderDetection, 0))},
		{Name: "Sessions inspected", Value: c.Sessions},
		{Name: "Sessions identified", Value: c.Identified},
		{Name: "Unknown sessions", Value: c.Unknown},
		{Name: "Encrypted unknown sessions", Value: c.EncryptedUnknown},
		{Name: "Cache hits", Value: c.CacheHits},
		{Name: "Cache misses", Value: c.CacheMisses},
		{Name: "Packets inspected", Value: c.Packets},
		{Name: "Bytes inspected", Value: c.Bytes},
		{Name: "Sessions whose inspection failed", Value: c.DecoderFailures},
	}}, nil
}

func clearIdentificationCounters(s *Server, _ *request) (view.View, error) {
	applications, err := s.applications()
	if err != nil {
		return nil, err
	}
	applications.ResetCounters()
	return &view.Message{Message: "The counters are zero"}, nil
}
