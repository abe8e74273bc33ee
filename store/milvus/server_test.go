package milvus_test

import (
	"context"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

func address(tb testing.TB) string {
	tb.Helper()
	return devenv.Milvus(tb)
}

// wire is the network between the bot and the server, which can be spoilt.
type wire struct {
	proxy *toxiproxy.Proxy
}

func newWire(tb testing.TB, upstream string) *wire {
	tb.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "milvus", "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(proxy.Stop)
	return &wire{proxy: proxy}
}

// spoil adds a fault in both directions, as toxiproxy's JSON describes it.
func (w *wire) spoil(tb testing.TB, kind, attributes string) {
	tb.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(
			`{"name":"` + stream + `","type":"` + kind + `","stream":"` + stream + `","attributes":` + attributes + `}`))
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func (w *wire) mend(tb testing.TB) {
	tb.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		if err := w.proxy.Toxics.RemoveToxic(context.Background(), stream); err != nil {
			tb.Fatal(err)
		}
	}
}
