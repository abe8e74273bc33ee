package devenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are handed out in blocks between firstPort and lastPort, below the range
// that systems take the ports of outgoing connections from: a port from there may
// be gone between the moment it was found free and the moment a server asks for it.
const (
	firstPort = 20000
	lastPort  = 31999
	blockSize = 16
)

// reservePorts finds n free ports in a row and returns the first, with a function
// that gives them back. No other process that asks here gets them meanwhile,
// because this one listens on the first port of their block; the system ends that
// with the process, however it ends.
func reservePorts(n int) (int, func(), error) {
	if n >= blockSize {
		return 0, nil, fmt.Errorf("%d ports do not fit a block of %d", n, blockSize)
	}
	for range 1000 {
		block := firstPort + blockSize*rand.IntN((lastPort+1-firstPort)/blockSize) //nolint:gosec // to spread, not to hide
		guard, err := listen(block)
		if err != nil {
			continue
		}
		if portsFree(block+1, n) {
			return block + 1, func() { _ = guard.Close() }, nil
		}
		_ = guard.Close()
	}
	return 0, nil, errors.New("no free ports between " + strconv.Itoa(firstPort) + " and " + strconv.Itoa(lastPort))
}

// portsFree says whether nothing listens on n ports from the first.
func portsFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		l, err := listen(port)
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// listen takes a port of the loopback interface.
func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // a bind does not wait
}
