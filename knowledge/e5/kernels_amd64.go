package e5

import "golang.org/x/sys/cpu"

// availableKernels returns the kernels that this processor can run, fastest first. It is never empty.
func availableKernels() []*kernels {
	list := []*kernels{portableKernels()}
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return list
	}
	avx2 := &kernels{
		name:     "avx2",
		matmul:   matmulAVX2,
		quantize: quantizeAVX2,
		gelu:     geluAVX2,
		addNorm:  addNormAVX2,
		softmax:  softmaxAVX2,
		multiply: multiplyAVX2,
	}
	list = append([]*kernels{avx2}, list...)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI {
		vnni := *avx2
		vnni.name, vnni.matmul = "avx512vnni", matmulVNNI
		list = append([]*kernels{&vnni}, list...)
	}
	return list
}

// panelArgs are the arguments of one call of a matmul kernel: one panel of weights times all tokens. The assembly reads the
// fields by name.
type panelArgs struct {
	weights *byte
	bias    *float32
	q       *int8
	scale   *float32
	offset  *int32
	out     *float32
	blocks  int
	tiles   int
	stride  int // bytes from one token's outputs to the next's
}

//go:noescape
func panelAVX2(args *panelArgs)

//go:noescape
func panelVNNI(args *panelArgs)

func matmulAVX2(w *matrix, in *activations, out []float32) {
	args := newPanelArgs(w, in, out)
	for panel := range w.rows / panelRows {
		args.moveTo(panel, w, out)
		panelAVX2(&args)
	}
}

func matmulVNNI(w *matrix, in *activations, out []float32) {
	args := newPanelArgs(w, in, out)
	for panel := range w.rows / panelRows {
		args.moveTo(panel, w, out)
		panelVNNI(&args)
	}
}

// newPanelArgs checks that the kernels stay within the slices: they do not check themselves.
func newPanelArgs(w *matrix, in *activations, out []float32) panelArgs {
	tiles := in.tiles()
	if in.blocks*blockLen != w.columns || len(out) < tiles*tileTokens*w.rows {
		panic("e5: matmul of mismatched shapes")
	}
	return panelArgs{
		q:      &in.q[0],
		scale:  &in.scale[0],
		offset: &in.offset[0],
		blocks: in.blocks,
		tiles:  tiles,
		stride: 4 * w.rows,
	}
}

// moveTo points the arguments to a panel.
func (a *panelArgs) moveTo(panel int, w *matrix, out []float32) {
	a.weights = &w.panels[panel*a.blocks*recordBytes]
	a.bias = &w.bias[panel*panelRows]
	a.out = &out[panel*panelRows]
}

//go:noescape
func quantizeRow(x *float32, q *int8, scale *float32, offset *int32, blocks int)

func quantizeAVX2(in *activations, token int, row []float32) {
	i := in.at(token)
	row = row[:in.blocks*blockLen]
	quantizeRow(&row[0], &in.q[i*blockLen], &in.scale[i], &in.offset[i], in.blocks)
}

//go:noescape
func gelu8(x *float32, eights int)

func geluAVX2(x []float32) {
	eights := len(x) / 8
	if eights > 0 {
		gelu8(&x[0], eights)
	}
	geluPortable(x[eights*8:])
}

// normArgs are the arguments of addNorm8. n, the length of all four, is a multiple of 8.
type normArgs struct {
	x, y, weight, bias *float32
	n                  int
	epsilon            float32
}

//go:noescape
func addNorm8(args *normArgs)

func addNormAVX2(x, y []float32, n *norm) {
	if len(x)%8 != 0 {
		addNormPortable(x, y, n)
		return
	}
	y, weight, bias := y[:len(x)], n.weight[:len(x)], n.bias[:len(x)]
	addNorm8(&normArgs{&x[0], &y[0], &weight[0], &bias[0], len(x), n.epsilon})
}

//go:noescape
func softmax8(row *float32, n int, scale float32) float32

func softmaxAVX2(row []float32, scale float32) float32 {
	return softmax8(&row[0], len(row), scale)
}

//go:noescape
func multiply4x16(p *product)

func multiplyAVX2(p *product) {
	_ = p.a[(productRows-1)*p.strideA+p.depth-1]
	_ = p.b[(p.depth-1)*p.strideB+p.columns-1]
	_ = p.c[(productRows-1)*p.strideC+p.columns-1]
	multiply4x16(p)
}
