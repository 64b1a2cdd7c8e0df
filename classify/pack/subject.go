package pack

import (
	"strings"

	"sluice/classify/appdb"
)

// subject is where an application stands: its category and sub-category.
type subject struct{ category, sub string }

// web is a subject of the web.
func web(sub string) subject { return subject{"Web", sub} }

// Subjects that rules name often.
var (
	chat         = subject{"Messaging", "Chat"}
	conferencing = subject{"Messaging", "Conferencing"}
	mail         = subject{"Messaging", "Mail"}
	tunneling    = subject{"Remote-Access", "Tunneling"}
	desktop      = subject{"Remote-Access", "Interactive-Desktop"}
)

// traits are what follows from a subject for an application of which nothing more is known.
type traits struct {
	risk            int
	characteristics appdb.Characteristics
}

var subjectTraits = map[subject]traits{
	web("Adult"):              {5, appdb.ProneToMisuse | appdb.ExcessiveBandwidth},
	web("Gambling"):           {4, appdb.ProneToMisuse},
	web("Proxy"):              {4, appdb.Evasive | appdb.Tunnels | appdb.ProneToMisuse},
	web("File-Sharing"):       {3, appdb.FileTransfer | appdb.ExcessiveBandwidth},
	web("Dating"):             {3, appdb.FileTransfer},
	web("Social-Networking"):  {3, appdb.FileTransfer},
	web("Forums"):             {2, appdb.FileTransfer},
	web("Multimedia"):         {2, appdb.ExcessiveBandwidth},
	web("AI"):                 {2, 0},
	web("Advertisements"):     {2, 0},
	web("Applications"):       {2, 0},
	web("Business"):           {1, 0},
	web("CDN"):                {1, appdb.ExcessiveBandwidth},
	web("Development"):        {2, appdb.FileTransfer},
	web("Education"):          {1, 0},
	web("Finance"):            {2, 0},
	web("Food"):               {1, 0},
	web("Gaming"):             {2, 0},
	web("Government"):         {1, 0},
	web("Health"):             {1, 0},
	web("Infrastructure"):     {2, 0},
	web("IoT"):                {2, 0},
	web("Jobs"):               {1, 0},
	web("News"):               {1, 0},
	web("Portal"):             {1, 0},
	web("Real-Estate"):        {1, 0},
	web("Search"):             {1, 0},
	web("Security"):           {1, 0},
	web("Shopping"):           {2, 0},
	web("Software-Update"):    {1, appdb.FileTransfer},
	web("Sports"):             {1, 0},
	web("Travel"):             {1, 0},
	web("Wiki"):               {1, 0},
	chat:                      {2, appdb.FileTransfer},
	conferencing:              {2, appdb.ExcessiveBandwidth},
	mail:                      {3, appdb.FileTransfer},
	tunneling:                 {4, appdb.Evasive | appdb.Tunnels},
	desktop:                   {4, appdb.FileTransfer | appdb.ProneToMisuse},
	{"P2P", "Cryptocurrency"}: {4, appdb.ProneToMisuse | appdb.UsedByMalware},
}

// technologySubjects are the subjects of Wappalyzer's categories.
var technologySubjects = map[string]subject{
	"Message boards": web("Forums"), "Comment systems": web("Forums"), "Documentation": web("Wiki"), "Wikis": web("Wiki"),
	"Widgets": web("Applications"), "Ecommerce": web("Shopping"), "Shopify apps": web("Shopping"), "Shopify themes": web("Shopping"),
	"Photo galleries": web("Multimedia"), "Hosting panels": web("Infrastructure"), "Analytics": web("Advertisements"),
	"Blogs": web("Applications"), "CMS": web("Applications"), "Page builders": web("Applications"),
	"WordPress themes": web("Development"), "WordPress plugins": web("Development"), "Drupal themes": web("Development"),
	"JavaScript frameworks": web("Development"), "JavaScript libraries": web("Development"), "JavaScript graphics": web("Development"),
	"Web frameworks": web("Development"), "UI frameworks": web("Development"), "Mobile frameworks": web("Development"),
	"Web servers": web("Development"), "Web server extensions": web("Development"), "Programming languages": web("Development"),
	"Static site generator": web("Development"), "Rich text editors": web("Development"), "Editors": web("Development"),
	"Development": web("Development"), "CI": web("Development"), "Containers": web("Development"), "Databases": web("Development"),
	"Database managers": web("Development"), "Issue trackers": web("Development"), "Feature management": web("Development"),
	"Operating systems": web("Software-Update"), "Font scripts": web("CDN"), "CDN": web("CDN"), "Caching": web("CDN"),
	"Video players": web("Multimedia"), "Media servers": web("Multimedia"), "Livestreaming": web("Multimedia"),
	"Search engines": web("Search"), "Webmail": mail, "Email": mail, "Live chat": chat,
	"Marketing automation": web("Advertisements"), "Advertising": web("Advertisements"), "Tag managers": web("Advertisements"),
	"Affiliate programs": web("Advertisements"), "SEO": web("Advertisements"), "A/B Testing": web("Advertisements"),
	"Personalisation": web("Advertisements"), "Retargeting": web("Advertisements"), "RUM": web("Advertisements"),
	"Segmentation": web("Advertisements"), "Customer data platform": web("Advertisements"), "Browser fingerprinting": web("Advertisements"),
	"Referral marketing": web("Advertisements"), "Loyalty & rewards": web("Advertisements"), "Content curation": web("Advertisements"),
	"Payment processors": web("Finance"), "Buy now pay later": web("Finance"), "Accounting": web("Finance"),
	"Cryptominers": {"P2P", "Cryptocurrency"}, "Remote access": desktop, "Network storage": web("File-Sharing"),
	"Network devices": web("IoT"), "Webcams": web("IoT"), "Control systems": web("IoT"), "Maps": web("Applications"),
	"Geolocation": web("Applications"), "Translation": web("Applications"), "LMS": web("Education"), "CRM": web("Business"),
	"Security": web("Security"), "Authentication": web("Security"), "SSL/TLS certificate authorities": web("Security"),
	"Cookie compliance": web("Security"), "PaaS": web("Infrastructure"), "IaaS": web("Infrastructure"), "Hosting": web("Infrastructure"),
	"Reverse proxies": web("Infrastructure"), "Load balancers": web("Infrastructure"), "Performance": web("Infrastructure"),
	"Shipping carriers": web("Business"), "Fulfilment": web("Business"), "Returns": web("Shopping"), "Cart abandonment": web("Shopping"),
	"Cross border ecommerce": web("Shopping"), "Reviews": web("Shopping"), "Appointment scheduling": web("Business"),
	"Surveys": web("Business"), "Digital asset management": web("Business"), "DMS": web("Business"), "User onboarding": web("Business"),
	"Accessibility": web("Applications"), "Recruitment & staffing": web("Jobs"), "Reservations & delivery": web("Food"),
	"Ticket booking": web("Travel"), "Augmented reality": web("Multimedia"), "Feed readers": web("News"),
}

// accountSubjects are the subjects of 2factorauth's categories.
var accountSubjects = map[string]subject{
	"backup": web("File-Sharing"), "banking": web("Finance"), "betting": web("Gambling"), "cloud": web("Infrastructure"),
	"communication": chat, "crowdfunding": web("Business"), "cryptocurrencies": web("Finance"), "creativity": web("Applications"),
	"developer": web("Development"), "domains": web("Infrastructure"), "education": web("Education"), "email": mail,
	"entertainment": web("Multimedia"), "finance": web("Finance"), "food": web("Food"), "gaming": web("Gaming"),
	"government": web("Government"), "health": web("Health"), "hosting": web("Infrastructure"), "hotels": web("Travel"),
	"identity": web("Security"), "insurance": web("Finance"), "investing": web("Finance"), "iot": web("IoT"), "legal": web("Business"),
	"marketing": web("Advertisements"), "payments": web("Finance"), "post": web("Business"), "remote": desktop,
	"retail": web("Shopping"), "security": web("Security"), "social": web("Social-Networking"), "task": web("Business"),
	"tickets": web("Shopping"), "transport": web("Travel"), "universities": web("Education"), "utilities": web("Business"),
	"vpn": tunneling, "other": {},
}

// listSubjects are the subjects of the domain lists that gather services.
var listSubjects = map[string]subject{
	"category-ads": web("Advertisements"), "category-ads-all": web("Advertisements"), "category-ai-!cn": web("AI"),
	"category-ai-cn": web("AI"), "category-anticensorship": web("Proxy"), "category-bank-cn": web("Finance"),
	"category-cdn-!cn": web("CDN"), "category-cdn-cn": web("CDN"), "category-communication": chat, "category-companies": web("Business"),
	"category-container": web("Development"), "category-cryptocurrency": web("Finance"), "category-dev": web("Development"),
	"category-dev-cn": web("Development"), "category-ecommerce": web("Shopping"), "category-education-cn": web("Education"),
	"category-electronic-cn": web("Business"), "category-entertainment": web("Multimedia"), "category-entertainment-cn": web("Multimedia"),
	"category-finance": web("Finance"), "category-forums": web("Forums"), "category-food": web("Food"), "category-games": web("Gaming"),
	"category-games-!cn": web("Gaming"), "category-games-cn": web("Gaming"), "category-mastodon": web("Social-Networking"),
	"category-media": web("News"), "category-media-cn": web("News"), "category-mooc-cn": web("Education"), "category-news-ir": web("News"),
	"category-ntp": web("Infrastructure"), "category-orgs": web("Business"), "category-pornographic": web("Adult"), "category-porn": web("Adult"),
	"category-remote-control": desktop, "category-scholar-!cn": web("Education"), "category-scholar-cn": web("Education"),
	"category-social-media-!cn": web("Social-Networking"), "category-social-media-cn": web("Social-Networking"),
	"category-speedtest": web("Applications"), "category-tech-media": web("News"), "category-vpnservices": tunneling,
	"category-voip": conferencing, "category-wiki-cn": web("Wiki"),
}

// hints are words of names and domains that tell the subject where no source does.
var hints = []struct {
	words   string
	subject subject
}{
	{"porn xxx hentai nsfw", web("Adult")},
	{"casino poker betting sportsbook", web("Gambling")},
	{"vpn", tunneling},
	{"torrent", web("File-Sharing")},
	{"bitcoin crypto ethereum", web("Finance")},
	{"bank credit-union insurance insure pay payments finance", web("Finance")},
	{"hotel hotels airlines airways airline travel railways rail", web("Travel")},
	{"university college academy school", web("Education")},
	{"game games gaming studios", web("Gaming")},
	{"radio tv music video stream streaming films podcast", web("Multimedia")},
	{"news times post magazine journal", web("News")},
	{"shop store fashion", web("Shopping")},
	{"hosting host cloud", web("Infrastructure")},
	{"linux", web("Software-Update")},
	{"mail", mail},
	{"chat messenger", chat},
	{"hospital clinic health", web("Health")},
	{"js css react vue angular sdk api framework compiler", web("Development")},
	{"motors automotive cars", web("IoT")},
	{"gpt llm ai", web("AI")},
	{"marketing ads", web("Advertisements")},
	{"security antivirus", web("Security")},
	{"forum", web("Forums")},
	{"jobs careers recruitment", web("Jobs")},
	{"pizza burger coffee restaurant", web("Food")},
}

// suffixes of domains that tell the subject.
var suffixSubjects = map[string]subject{
	"edu": web("Education"), "gov": web("Government"), "mil": web("Government"), "bank": web("Finance"), "ai": web("AI"),
	"games": web("Gaming"), "tv": web("Multimedia"), "fm": web("Multimedia"), "shop": web("Shopping"), "store": web("Shopping"),
	"dev": web("Development"), "js.org": web("Development"), "rs": web("Development"), "news": web("News"), "travel": web("Travel"),
	"jobs": web("Jobs"), "social": web("Social-Networking"), "chat": chat, "cloud": web("Infrastructure"), "hosting": web("Infrastructure"),
	"health": web("Health"), "casino": web("Gambling"), "bet": web("Gambling"), "porn": web("Adult"), "xxx": web("Adult"), "vpn": tunneling,
}

// guess is the subject of a service that no source puts into a category: what its name or its
// domain says, or simply an application of the web.
func guess(name, domain string) subject {
	words := strings.Split(strings.ToLower(applicationName(name)), "-")
	for _, hint := range hints {
		for _, word := range strings.Fields(hint.words) {
			for _, w := range words {
				if w == word {
					return hint.subject
				}
			}
		}
	}
	for _, suffix := range []string{domain[strings.LastIndexByte(domain, '.')+1:], strings.TrimPrefix(domain, label(domain)+".")} {
		if s, ok := suffixSubjects[suffix]; ok {
			return s
		}
	}
	return web("Applications")
}
