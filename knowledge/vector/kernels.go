package vector

// kernels are the inner loops for one kind of processor.
type kernels struct {
	name string

	// dots sets out[i] to the inner product of query and row i of rows. Rows are as
	// long as query, a multiple of lane, and no code is −128. The result is exact.
	dots func(query, rows []int8, out []int32)

	// dot returns the inner product of two vectors of one length. The kernels differ
	// by rounding only.
	dot func(a, b []float32) float32
}

// lane is how many codes a kernel takes in one step.
const lane = 64

// portableKernels works on every processor.
func portableKernels() *kernels {
	return &kernels{name: "portable", dots: dotsPortable, dot: dotPortable}
}

// Dot returns the inner product of two vectors of one length; what the longer one
// has more counts as zero.
func Dot(a, b []float32) float32 {
	n := min(len(a), len(b))
	return dot(a[:n], b[:n])
}

func dotsPortable(query, rows []int8, out []int32) {
	for i := range out {
		out[i] = dotCodes(query, rows[i*len(query):][:len(query)])
	}
}

// dotCodes sums in four parts, so that additions need not wait for each other.
func dotCodes(a, b []int8) int32 {
	var s0, s1, s2, s3 int32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		p, q := (*[8]int8)(a), (*[8]int8)(b)
		s0 += int32(p[0])*int32(q[0]) + int32(p[4])*int32(q[4])
		s1 += int32(p[1])*int32(q[1]) + int32(p[5])*int32(q[5])
		s2 += int32(p[2])*int32(q[2]) + int32(p[6])*int32(q[6])
		s3 += int32(p[3])*int32(q[3]) + int32(p[7])*int32(q[7])
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += int32(a[i]) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}

// dotPortable keeps eight sums: one alone would wait four cycles for each
// addition.
func dotPortable(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		p, q := (*[8]float32)(a), (*[8]float32)(b)
		s0 += p[0] * q[0]
		s1 += p[1] * q[1]
		s2 += p[2] * q[2]
		s3 += p[3] * q[3]
		s4 += p[4] * q[4]
		s5 += p[5] * q[5]
		s6 += p[6] * q[6]
		s7 += p[7] * q[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}
