package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	url := flag.String("url", "http://localhost:8090", "where browsers reach this application, without a trailing slash")
	secretDir := flag.String("secret-dir", "", "directory with the keys of the credentials Secret as files")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *url, *secretDir); err != nil {
		slog.Error("demo-app stopped", "error", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, listen, url, secretDir string) error {
	if _, err := readCredentials(secretDir); err != nil {
		return err
	}
	server := &http.Server{
		Addr:              listen,
		Handler:           newApp(url, secretDir),
		ReadHeaderTimeout: 10 * time.Second,
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	slog.Info("listening", "address", listen, "url", url)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
