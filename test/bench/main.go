package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

func main() {
	seconds := flag.Int("seconds", 9, "how long each rate is measured, in seconds")
	clients := flag.String("clients", "", "how many OIDCClients: those that part cluster applies one after the other (100), or the sizes, with commas between them, of part operator (1000,10000)")
	only := flag.String("only", "", "run only this part: provider, cluster, operator (which runs only when asked for), or the flows and documents of the provider that have this in their names")
	var part providerPart
	flag.BoolVar(&part.quick, "quick", false, "measure the provider with little in storage only")
	flag.StringVar(&part.engine, "engine", "", "measure the provider on this engine only: SQLite or PostgreSQL")
	profile := flag.String("cpuprofile", "", "write a CPU profile of this process, the provider in it, to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: "+err.Error())
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	sizes, err := parseSizes(*clients)
	if err == nil {
		err = run(ctx, time.Duration(*seconds)*time.Second/rounds, sizes, *only, part)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		pprof.StopCPUProfile()
		os.Exit(1) //nolint:gocritic // what was deferred is done
	}
}

// parseSizes reads numbers of OIDCClients. None is nil.
func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		if list == "" {
			break
		}
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return nil, fmt.Errorf("-clients must be positive numbers with commas between them, not %q", list)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

func run(ctx context.Context, d time.Duration, sizes []int, only string, part providerPart) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	fmt.Printf("%s %s/%s, GOMAXPROCS %d, load before: %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), strings.TrimSpace(string(load)))
	programs, err := buildPrograms(ctx)
	if err != nil {
		return err
	}
	defer programs.remove()
	if only == "operator" {
		if len(sizes) == 0 {
			sizes = []int{1000, 10000}
		}
		if err := benchOperator(ctx, programs, sizes); err != nil {
			return fmt.Errorf("operator: %w", err)
		}
		return nil
	}
	if only != "cluster" {
		part.only = strings.TrimPrefix(only, "provider")
		if err := benchProvider(ctx, programs, d, part); err != nil {
			return fmt.Errorf("provider: %w", err)
		}
	}
	if only == "" || only == "cluster" {
		if len(sizes) == 0 {
			sizes = []int{100}
		}
		if err := benchCluster(ctx, programs, sizes[0]); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	return nil
}

// report prints one figure.
func report(name, format string, args ...any) {
	fmt.Printf("%-44s %s\n", name, fmt.Sprintf(format, args...))
}
