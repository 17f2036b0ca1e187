package keys

import "runtime"

// turns lets no more signatures be made at once than there are processors. More would not be faster, and everything that
// takes a moment only, such as waking up those whose changes are on disk, would have to stand in line behind all of them:
// the processors would then idle until the disk is asked again.
type turns chan struct{}

func newTurns() turns { return make(turns, runtime.GOMAXPROCS(0)) }

// take waits for a turn. It lets everything go first that became ready meanwhile.
func (t turns) take() {
	t <- struct{}{}
	runtime.Gosched()
}

func (t turns) giveBack() { <-t }
