//go:build ignore

// gen_vectors writes the vectors of the everyday questions by the built-in embedder:
//
//	go run gen_vectors.go MODEL OUT
package main

import (
	"context"
	"log"
	"os"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/everyday"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: gen_vectors MODEL OUT")
	}
	m, err := e5.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	m = m.Informed()
	vectors, err := m.EmbedQueries(context.Background(), everyday.Questions())
	if err != nil {
		log.Fatal(err)
	}
	data, err := everyday.Encode(m.Name(), vectors)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], data, 0o644); err != nil {
		log.Fatal(err)
	}
}
