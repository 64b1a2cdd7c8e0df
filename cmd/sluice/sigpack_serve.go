package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"sluice/sigpack"
)

// sigpackServe serves a feed until it is told to stop.
func sigpackServe(o *sigpackOptions, args []string) error {
	if len(args) != 1 || (o.cert == "") != (o.key == "") || o.withdrawAfter < 0 {
		return errUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	return o.serve(ctx, o.repository(args[0]), listener)
}

// serve serves a feed until ctx ends.
func (o *sigpackOptions) serve(ctx context.Context, r *sigpack.Repository, listener net.Listener) error {
	defer listener.Close()
	if _, err := r.Versions(); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(o.stderr, nil))
	feed := &sigpack.Server{Repository: r, WithdrawAfter: o.withdrawAfter, Logger: logger}
	server := &http.Server{
		Handler: feed, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 10 * time.Minute, IdleTimeout: time.Minute,
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { feed.Renew(ctx) })
	work.Go(func() {
		<-ctx.Done()
		farewell, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		if server.Shutdown(farewell) != nil {
			server.Close()
		}
	})
	scheme, run := "http", server.Serve
	if o.cert != "" {
		scheme, run = "https", func(l net.Listener) error { return server.ServeTLS(l, o.cert, o.key) }
	}
	fmt.Fprintf(o.stdout, "Serving %s at %s://%s\n", r.Dir, scheme, listener.Addr())
	err := run(listener)
	cancel()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
