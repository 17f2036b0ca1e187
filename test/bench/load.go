package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many keep-alive connections put load on a server.
const connections = 16

// measureHTTP sends requests from next over keep-alive connections until d has passed or next returns nil, and returns
// how many answers of status 200 came per second. Any other answer is an error. The client writes bytes made before and
// reads no more than it must: net/http's own client would cost more than the server it measures.
func measureHTTP(ctx context.Context, address string, d time.Duration, next func() []byte) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var answered atomic.Int64
	var workers sync.WaitGroup
	errs := make(chan error, connections)
	start := time.Now()
	for range connections {
		workers.Go(func() {
			n, err := drive(ctx, address, next)
			answered.Add(n)
			if err != nil {
				errs <- err
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(start)
	close(errs)
	return float64(answered.Load()) / elapsed.Seconds(), <-errs
}

func drive(ctx context.Context, address string, next func() []byte) (answered int64, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	reader := bufio.NewReaderSize(conn, 16<<10)
	for ctx.Err() == nil {
		request := next()
		if request == nil {
			return answered, nil
		}
		if _, err := conn.Write(request); err != nil {
			return answered, err
		}
		if err := readAnswer(reader); err != nil {
			return answered, err
		}
		answered++
	}
	return answered, nil
}

// readAnswer reads one HTTP/1.1 answer with a Content-Length and refuses any status but 200.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(status, []byte("HTTP/1.1 200 "))
	first := string(bytes.TrimSpace(status))
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("answer has no Content-Length")
	}
	if ok {
		_, err = r.Discard(length)
		return err
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(length)))
	return errors.Join(fmt.Errorf("answer %q: %s", first, body), err)
}

// measureLoop calls work from one goroutine for each core until d has passed and returns the calls per second.
func measureLoop(d time.Duration, workers int, work func() error) (perSecond float64, err error) {
	var done atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, workers)
	start := time.Now()
	for range workers {
		group.Go(func() {
			for time.Since(start) < d {
				if err := work(); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	close(errs)
	return float64(done.Load()) / elapsed.Seconds(), <-errs
}

// compare measures base and subject in turn, rounds times, and returns the median of each. In turn, so that what else the
// machine does falls on both.
func compare(rounds int, base, subject func() (float64, error)) (medianBase, medianSubject float64, err error) {
	var bases, subjects []float64
	for range rounds {
		b, err := base()
		if err != nil {
			return 0, 0, err
		}
		s, err := subject()
		if err != nil {
			return 0, 0, err
		}
		bases, subjects = append(bases, b), append(subjects, s)
	}
	return quantile(bases, 0.5), quantile(subjects, 0.5), nil
}

// quantile returns the q-quantile of values, which it sorts.
func quantile[T float64 | time.Duration](values []T, q float64) T {
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
