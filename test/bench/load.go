package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How many keep-alive connections put load on a server. Where a change has to reach the disk there are more, so that there is work for the
// processors meanwhile.
const (
	readers = 32
	writers = 64
)

// flow does one unit of work on a connection.
type flow func(c *conn) error

// opener makes the flow of one connection, which may remember things. What it asks for beforehand is not measured.
type opener func(c *conn) (flow, error)

// measured is what a load has seen.
type measured struct {
	perSecond float64
	// cpu is the processor time of this process for one unit of work, the load's own included.
	cpu      time.Duration
	p50, p99 time.Duration
}

// ramp is for how long a load runs before and after it is measured, so that all connections are busy all the time.
const ramp = 200 * time.Millisecond

// finished is one unit of work.
type finished struct {
	at   time.Time
	took time.Duration
}

// measure runs a flow on each of the connections, and measures for d what all of them together get done.
func measure(ctx context.Context, address string, connections int, d time.Duration, open opener) (measured, error) {
	var loads sync.WaitGroup
	flows := make(chan error, connections)
	work := make([][]finished, connections)
	var stop atomic.Bool
	for i := range connections {
		ready := make(chan error, 1)
		loads.Go(func() {
			var err error
			work[i], err = drive(ctx, address, open, ready, &stop)
			flows <- err
		})
		if err := <-ready; err != nil {
			stop.Store(true)
			loads.Wait()
			return measured{}, err
		}
	}
	time.Sleep(ramp)
	start, cpu := time.Now(), processorTime()
	time.Sleep(d)
	end, cpu := time.Now(), processorTime()-cpu
	time.Sleep(ramp)
	stop.Store(true)
	loads.Wait()
	close(flows)
	for err := range flows {
		if err != nil {
			return measured{}, err
		}
	}
	var took []time.Duration
	for _, f := range slices.Concat(work...) {
		if f.at.After(start) && !f.at.After(end) {
			took = append(took, f.took)
		}
	}
	if len(took) == 0 {
		return measured{}, fmt.Errorf("nothing was done in %s", d)
	}
	return measured{float64(len(took)) / end.Sub(start).Seconds(), cpu / time.Duration(len(took)), quantile(took, 0.5), quantile(took, 0.99)}, nil
}

// drive does units of work on a connection of its own until it is told to stop. It tells ready, once, when it begins or
// why it cannot.
func drive(ctx context.Context, address string, open opener, ready chan<- error, stop *atomic.Bool) (work []finished, err error) {
	c, err := dial(ctx, address)
	if err != nil {
		ready <- err
		return nil, err
	}
	defer func() { _ = c.Close() }() // nothing is lost with it
	do, err := open(c)
	ready <- err
	if err != nil {
		return nil, err
	}
	for begun := time.Now(); !stop.Load() && ctx.Err() == nil; {
		if err := do(c); err != nil {
			return work, err
		}
		now := time.Now()
		work = append(work, finished{now, now.Sub(begun)})
		begun = now
	}
	return work, ctx.Err()
}

// processorTime returns what this process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measureLoop calls work from one goroutine for each worker until d has passed.
func measureLoop(d time.Duration, workers int, work func() error) (measured, error) {
	done := make([]int, workers)
	var group sync.WaitGroup
	errs := make(chan error, workers)
	start, cpu := time.Now(), processorTime()
	for worker := range workers {
		group.Go(func() {
			for time.Since(start) < d {
				if err := work(); err != nil {
					errs <- err
					return
				}
				done[worker]++
			}
		})
	}
	group.Wait()
	elapsed, cpu := time.Since(start), processorTime()-cpu
	close(errs)
	sum := 0
	for _, n := range done {
		sum += n
	}
	return measured{perSecond: float64(sum) / elapsed.Seconds(), cpu: cpu / time.Duration(max(sum, 1))}, <-errs
}

// ratio is what was measured beside its base.
type ratio struct{ base, got measured }

// rate is how much of the base's rate was reached.
func (r ratio) rate() float64 { return r.got.perSecond / r.base.perSecond }

// cpu is the same by processor time, which other programs on the machine disturb less.
func (r ratio) cpu() float64 { return float64(r.base.cpu) / float64(r.got.cpu) }

// compare measures base and subject in turn, rounds times, and returns the round with the median rate. In turn, so that what
// else the machine does falls on both.
func compare(rounds int, base, subject func() (measured, error)) (ratio, error) {
	all := make([]ratio, rounds)
	for i := range all {
		var err error
		if all[i].base, err = base(); err != nil {
			return ratio{}, err
		}
		if all[i].got, err = subject(); err != nil {
			return ratio{}, err
		}
	}
	slices.SortFunc(all, func(a, b ratio) int { return cmp.Compare(a.rate(), b.rate()) })
	return all[rounds/2], nil
}

// quantile returns the q-quantile of values, which it sorts.
func quantile[T float64 | time.Duration](values []T, q float64) T {
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
