#!/bin/sh
# Installs the Debian packages whose commands or files are missing, and says so; does nothing when
# all are there. Arguments are command:package or /path/to/file:package pairs.
set -eu

missing=""
for pair in "$@"; do
	wanted=${pair%%:*}
	case $wanted in
	/*) [ -e "$wanted" ] ;;
	# Some commands live in /usr/sbin, which is not on every user's path.
	*) PATH="$PATH:/usr/sbin:/sbin" command -v "$wanted" >/dev/null 2>&1 ;;
	esac || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "These Debian packages, or what corresponds to them here, are needed:$missing" >&2
	exit 1
fi
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"

# A server that is installed for the lab must not start on the machine itself.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
	trap '$sudo rm -f "$policy"' EXIT INT TERM
fi

echo "Installing Debian packages:$missing"
apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
$apt update
# shellcheck disable=SC2086 # lists of words
$apt install -y --no-install-recommends $missing
# Nor later.
for server in nginx squid haproxy; do
	case " $missing " in
	*" $server"*)
		if command -v systemctl >/dev/null 2>&1; then $sudo systemctl disable $server >/dev/null 2>&1 || true; fi
		;;
	esac
done
