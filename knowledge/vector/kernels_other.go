//go:build !amd64

package vector

// availableKernels returns the kernels that this processor can run, fastest first.
// It is never empty.
func availableKernels() []*kernels { return []*kernels{portableKernels()} }

func dot(a, b []float32) float32 { return dotPortable(a, b) }
