# make demo        the whole thing at work, in a minute
# make demo-shell  the same world, left up for you with the gateway's shell open
# make test        everything that proves it works
# make bench       how fast it is, next to kernel forwarding
# make help        all targets

SHELL := /bin/sh
.DEFAULT_GOAL := build
# What is missing is installed before it is used.
.NOTPARALLEL:

# Where lab/go.sh puts Go if there is none that is new enough.
export PATH := $(CURDIR)/build/go/bin:$(PATH)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
# The lab makes network namespaces: that needs root. Building does not.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo) env "PATH=$$PATH:/usr/sbin:/sbin"

INSTALL := $(if $(DESTDIR),,$(AS_ROOT)) install

TEST_TIMEOUT ?= 30m
TEST_FLAGS ?=
# Packages whose goroutines share state; the rest gains nothing from a run under the detector.
RACE_PACKAGES ?= ./appqos ./classify ./classify/scan ./appid/... ./sigpack ./policy/... ./proxy/... ./relay ./route/... ./stack/... ./store/... ./tls/... ./track/... ./web ./manage/... ./lab
FUZZ_TIME ?= 10s
BENCH_FLAGS ?=
CORPORA ?= $(SLUICE_CORPORA)
SCORE_FLAGS ?=
GOLANGCI := build/golangci-lint-v2.15.0

BUILD_PACKAGES := gcc:build-essential git:git pkg-config:pkg-config /usr/include/hs/hs.h:libhyperscan-dev
RUN_PACKAGES := nft:nftables
LAB_PACKAGES := $(RUN_PACKAGES) ip:iproute2 nginx:nginx iperf3:iperf3 curl:curl dig:bind9-dnsutils \
	ping:iputils-ping traceroute:traceroute tcpdump:tcpdump tshark:tshark openssl:openssl nghttp:nghttp2-client
# What the tests want beyond the demo.
TEST_PACKAGES := chromium-headless-shell:chromium-headless-shell certutil:libnss3-tools java:default-jre-headless \
	/usr/bin/python3:python3 /usr/lib/python3/dist-packages/grpc:python3-grpcio \
	socat:socat ssh:openssh-client sysctl:procps

SIGPACK_VERSION ?= 1001

.PHONY: help appdb sigpack build install demo demo-shell test race bench bench-appid lint fuzz clean go packages lab-tools

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: go ## build bin/sluice
	@lab/install.sh $(BUILD_PACKAGES)
	go build -ldflags '$(LDFLAGS)' -o bin/sluice ./cmd/sluice

install: build ## the program, its systemd unit and its documentation onto this machine, or into DESTDIR
	@[ -n "$(DESTDIR)" ] || lab/install.sh $(RUN_PACKAGES)
	$(INSTALL) -D -m 755 bin/sluice $(DESTDIR)/usr/sbin/sluice
	$(INSTALL) -D -m 644 packaging/sluice.service $(DESTDIR)/etc/systemd/system/sluice.service
	$(INSTALL) -D -m 644 -t $(DESTDIR)/usr/share/doc/sluice README.md
	$(INSTALL) -D -m 644 -t $(DESTDIR)/usr/share/doc/sluice/docs docs/*.md

demo: packages build lab-tools ## clients through the gateway: traffic, sessions, policies, log
	$(AS_ROOT) SLUICE_BIN=$(CURDIR)/bin/sluice SLUICE_LABHOST=$(CURDIR)/build/lab/labhost build/lab/demo

demo-shell: packages build lab-tools ## the demo's world with the operational shell
	$(AS_ROOT) SLUICE_BIN=$(CURDIR)/bin/sluice SLUICE_LABHOST=$(CURDIR)/build/lab/labhost build/lab/demo -shell

test: packages go ## formatting, vet, every test, and the concurrent packages under the race detector
	@lab/install.sh $(TEST_PACKAGES)
	@unformatted=$$(gofmt -l $$(go list -f '{{.Dir}}' ./...) </dev/null | sort -u); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed: $$unformatted"; exit 1; fi
	go vet ./...
	$(AS_ROOT) go test -p 2 -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) ./...
	$(MAKE) race

race: go ## the concurrent packages under the race detector
	$(AS_ROOT) go test -race -p 2 -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(RACE_PACKAGES)

bench: packages build lab-tools ## measure, beside other programs (BENCH_FLAGS=-help shows what can be chosen)
	@lab/install.sh wrk:wrk h2load:nghttp2-client sslsplit:sslsplit squid:squid-openssl haproxy:haproxy
	$(AS_ROOT) SLUICE_BIN=$(CURDIR)/bin/sluice SLUICE_LABHOST=$(CURDIR)/build/lab/labhost build/lab/bench $(BENCH_FLAGS)

bench-appid: packages go ## score application identification on CORPORA (captures with known answers), beside nDPI
	@test -n "$(CORPORA)" || { echo "CORPORA must name a directory with pcap/ and expected.csv"; exit 1; }
	@lab/install.sh ndpiReader:libndpi-bin
	go run ./classify/score -recut -loops 10 -ndpi ndpiReader $(SCORE_FLAGS) $(CORPORA)

appdb: go ## import the applications of public collections anew (classify/data/imported)
	go run ./classify/pack/cmd/import

sigpack: build ## make a signature package, build/sigpack-SIGPACK_VERSION.tar.gz, of what the program carries
	@mkdir -p build
	bin/sluice sigpack build --version $(SIGPACK_VERSION) --date "$$(git log -1 --format=%cI)" -o build/sigpack-$(SIGPACK_VERSION).tar.gz

lint: $(GOLANGCI) ## golangci-lint with .golangci.yml
	$(GOLANGCI) run ./...

$(GOLANGCI): | go
	GOBIN=$(CURDIR)/build go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	mv build/golangci-lint $@

fuzz: go ## run every fuzz target for FUZZ_TIME
	@set -e; for package in $$(go list ./...); do \
		targets=$$(go test -list '^Fuzz' $$package) || { echo "$$targets"; exit 1; }; \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) -fuzzminimizetime 1s $$package; \
		done; \
	done

clean: ## remove what was built
	rm -rf bin build

go:
	@lab/go.sh

packages:
	@lab/install.sh $(BUILD_PACKAGES) $(LAB_PACKAGES)

lab-tools: go
	@mkdir -p build/lab
	go build -o build/lab/ ./lab/cmd/labhost ./lab/cmd/demo ./lab/bench
