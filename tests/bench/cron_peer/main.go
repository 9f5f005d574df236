// The peer of R18a: robfig/cron's next due time. Prints `NAME calls-per-CPU-second` for each line `NAME EXPRESSION` of
// standard input; the zone is the first argument. Best of five rounds, as tests/bench/cron_bench.cpp takes it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/robfig/cron/v3"
)

const round = 0.2 // CPU seconds

// Of all threads: the collector's work is part of the cost.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

func main() {
	zone, err := time.LoadLocation(os.Args[1])
	if err != nil {
		panic(err)
	}
	parser := cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	begin, end := time.Unix(1700000000, 0).In(zone), time.Unix(4000000000, 0)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, expression, _ := strings.Cut(lines.Text(), " ")
		schedule, err := parser.Parse(expression)
		if err != nil {
			panic(err)
		}
		best, at := 0.0, begin
		for i := 0; i < 5; i++ {
			calls, started := 0, cpuSeconds()
			for cpuSeconds()-started < round {
				for j := 0; j < 64; j++ {
					at = schedule.Next(at)
					if at.IsZero() || at.After(end) {
						at = begin
					}
				}
				calls += 64
			}
			if rate := float64(calls) / (cpuSeconds() - started); rate > best {
				best = rate
			}
		}
		fmt.Printf("%s %.6g\n", name, best)
	}
}
