// Package vector compares vectors quickly. [Dot] is the exact inner product, the
// cosine where both vectors have length 1. [Rounded] keeps vectors as 8-bit
// integers, a quarter of their size, and finds among them the few that can be
// nearest to a query; who compares those exactly has the exact result in a small
// part of the time. [Closest] compares every vector of one set with every one of
// another.
//
// The inner loops exist for AVX-512 VNNI, for AVX2 with FMA, and in portable Go;
// the best that the processor has is chosen when the program runs. All of them
// give the same integers.
package vector
