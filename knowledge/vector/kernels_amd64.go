package vector

import "golang.org/x/sys/cpu"

// availableKernels returns the kernels that this processor can run, fastest first.
// It is never empty.
func availableKernels() []*kernels {
	list := []*kernels{portableKernels()}
	if !hasAVX2() {
		return list
	}
	list = append([]*kernels{{name: "avx2", dots: dotsAVX2, dot: dotAVX2}}, list...)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI {
		list = append([]*kernels{{name: "avx512vnni", dots: dotsVNNI, dot: dotAVX2}}, list...)
	}
	return list
}

func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

func dot(a, b []float32) float32 {
	if hasAVX2() {
		return dotAVX2(a, b)
	}
	return dotPortable(a, b)
}

// dotsArgs are the arguments of dots4AVX2 and dots4VNNI, which take four rows at a
// time. The assembly reads the fields by name.
type dotsArgs struct {
	query, rows *int8
	out         *int32
	stride      int // codes in a row
	quads       int // not 0
}

//go:noescape
func dots4AVX2(args *dotsArgs)

//go:noescape
func dots4VNNI(args *dotsArgs)

func dotsAVX2(query, rows []int8, out []int32) {
	if quads := len(out) / 4; quads > 0 {
		checkRows(query, rows, out)
		dots4AVX2(&dotsArgs{&query[0], &rows[0], &out[0], len(query), quads})
	}
	dotsRest(query, rows, out)
}

func dotsVNNI(query, rows []int8, out []int32) {
	if quads := len(out) / 4; quads > 0 {
		checkRows(query, rows, out)
		dots4VNNI(&dotsArgs{&query[0], &rows[0], &out[0], len(query), quads})
	}
	dotsRest(query, rows, out)
}

// checkRows sees that the kernels stay within the slices: they do not check
// themselves.
func checkRows(query, rows []int8, out []int32) {
	if len(query) == 0 || len(query)%lane != 0 || len(rows) < len(out)*len(query) {
		panic("vector: rows of mismatched shapes")
	}
}

// dotsRest takes the rows that are left after all fours.
func dotsRest(query, rows []int8, out []int32) {
	done := len(out) &^ 3
	dotsPortable(query, rows[done*len(query):], out[done:])
}

// dot8AVX2 takes eights·8 numbers.
//
//go:noescape
func dot8AVX2(a, b *float32, eights int) float32

func dotAVX2(a, b []float32) float32 {
	b = b[:len(a)]
	eights := len(a) / 8
	if eights == 0 {
		return dotPortable(a, b)
	}
	sum := dot8AVX2(&a[0], &b[0], eights)
	for i := eights * 8; i < len(a); i++ {
		sum += a[i] * b[i]
	}
	return sum
}
