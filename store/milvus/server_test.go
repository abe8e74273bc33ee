package milvus_test

import (
	"os"
	"testing"
)

func address(tb testing.TB) string {
	tb.Helper()
	a := os.Getenv("NASTAVNIK_TEST_MILVUS")
	if a == "" {
		tb.Skip("no server")
	}
	return a
}
