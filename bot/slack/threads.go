package slack

import "sync"

// threadsKept is how many threads are remembered: those in which something goes on.
const threadsKept = 4096

// threads remembers which threads of channels have a reply. In one that has none Slack
// shows nothing that is for one person alone,
// https://docs.slack.dev/reference/methods/chat.postEphemeral: it has not begun. What
// is not known, as after a restart, is taken for such a one: what stands in the channel
// is seen in any case.
type threads struct {
	mu     sync.Mutex
	begun  map[[2]string]bool // by channel and first message
	oldest [][2]string        // in the order in which they came
}

// note remembers that something stands in a thread of a channel.
func (t *threads) note(channel, root string) {
	if root == "" || isDirect(channel) {
		return
	}
	key := [2]string{channel, root}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun[key] {
		return
	}
	if len(t.oldest) == threadsKept {
		delete(t.begun, t.oldest[0])
		t.oldest = t.oldest[1:]
	}
	t.begun[key], t.oldest = true, append(t.oldest, key)
}

// has reports whether something is known to stand in a thread.
func (t *threads) has(channel, root string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun[[2]string{channel, root}]
}
