//go:build !amd64

package e5

// availableKernels returns the kernels that this processor can run, fastest first. It is never empty.
func availableKernels() []*kernels { return []*kernels{portableKernels()} }
