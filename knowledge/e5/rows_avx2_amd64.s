#include "go_asm.h"
#include "textflag.h"

// The kernels that work on one row, 8 values at a time with AVX2 and FMA.

DATA absMask<>+0(SB)/4, $0x7fffffff
GLOBL absMask<>(SB), RODATA|NOPTR, $4
DATA one<>+0(SB)/4, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $4
DATA levels<>+0(SB)/4, $127.0
GLOBL levels<>(SB), RODATA|NOPTR, $4

// The order that undoes the interleaving of 128-bit halves by the two packing steps.
DATA unpack<>+0(SB)/8, $0x0000000400000000
DATA unpack<>+8(SB)/8, $0x0000000500000001
DATA unpack<>+16(SB)/8, $0x0000000600000002
DATA unpack<>+24(SB)/8, $0x0000000700000003
GLOBL unpack<>(SB), RODATA|NOPTR, $32

// func quantizeRow(x *float32, q *int8, scale *float32, offset *int32, blocks int)
TEXT ·quantizeRow(SB), NOSPLIT, $0-40
	MOVQ         x+0(FP), SI
	MOVQ         q+8(FP), DI
	MOVQ         scale+16(FP), R9
	MOVQ         offset+24(FP), R10
	MOVQ         blocks+32(FP), CX
	VBROADCASTSS absMask<>(SB), Y15
	VMOVSS       levels<>(SB), X14
	VMOVSS       one<>(SB), X13
	VMOVDQU      unpack<>(SB), Y12
	VXORPS       X11, X11, X11

block:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3

	// scale = largest |x| / 127; inverse = 1/scale, or 0 where that is not positive
	VANDPS       Y15, Y0, Y4
	VANDPS       Y15, Y1, Y5
	VANDPS       Y15, Y2, Y6
	VANDPS       Y15, Y3, Y7
	VMAXPS       Y5, Y4, Y4
	VMAXPS       Y7, Y6, Y6
	VMAXPS       Y6, Y4, Y4
	VEXTRACTF128 $1, Y4, X5
	VMAXPS       X5, X4, X4
	VPERMILPS    $0x4e, X4, X5
	VMAXPS       X5, X4, X4
	VPERMILPS    $0xb1, X4, X5
	VMAXPS       X5, X4, X4
	VDIVSS       X14, X4, X4
	VMOVSS       X4, (R9)
	VDIVSS       X4, X13, X5
	VCMPSS       $0x0e, X11, X4, X4 // scale > 0
	VANDPS       X4, X5, X5
	VBROADCASTSS X5, Y5

	// to integers, nearest, ties to even
	VMULPS    Y5, Y0, Y0
	VMULPS    Y5, Y1, Y1
	VMULPS    Y5, Y2, Y2
	VMULPS    Y5, Y3, Y3
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3

	// offset = −8·sum
	VPADDD       Y1, Y0, Y4
	VPADDD       Y3, Y2, Y5
	VPADDD       Y5, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPADDD       X5, X4, X4
	VPSHUFD      $0x4e, X4, X5
	VPADDD       X5, X4, X4
	VPSHUFD      $0xb1, X4, X5
	VPADDD       X5, X4, X4
	VPSLLD       $3, X4, X4
	VPSUBD       X4, X11, X4
	VMOVD        X4, (R10)

	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPACKSSWB Y2, Y0, Y0
	VPERMD    Y0, Y12, Y0
	VMOVDQU   Y0, (DI)

	ADDQ $128, SI
	ADDQ $128, DI // the next block of a tile of 4 tokens
	ADDQ $16, R9
	ADDQ $16, R10
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET

// SUM8 adds the 8 values of y, whose lower half is x, to every lane of the lower half. It spoils tmp.
#define SUM8(y, x, tmp) \
	VEXTRACTF128 $1, y, tmp;     \
	VADDPS       tmp, x, x;      \
	VPERMILPS    $0x4e, x, tmp;  \
	VADDPS       tmp, x, x;      \
	VPERMILPS    $0xb1, x, tmp;  \
	VADDPS       tmp, x, x

// func addNorm8(args *normArgs)
TEXT ·addNorm8(SB), NOSPLIT, $0-8
	MOVQ       args+0(FP), AX
	MOVQ       normArgs_x(AX), SI
	MOVQ       normArgs_y(AX), DI
	MOVQ       normArgs_n(AX), CX
	VCVTSI2SSQ CX, X15, X15
	SHLQ       $2, CX
	VXORPS     Y0, Y0, Y0
	XORQ       DX, DX

add:
	VMOVUPS (SI)(DX*1), Y1
	VADDPS  (DI)(DX*1), Y1, Y1
	VMOVUPS Y1, (SI)(DX*1)
	VADDPS  Y1, Y0, Y0
	ADDQ    $32, DX
	CMPQ    DX, CX
	JNE     add

	SUM8(Y0, X0, X1)
	VDIVSS       X15, X0, X0
	VBROADCASTSS X0, Y0 // the mean
	VXORPS       Y2, Y2, Y2
	XORQ         DX, DX

square:
	VMOVUPS     (SI)(DX*1), Y1
	VSUBPS      Y0, Y1, Y1
	VFMADD231PS Y1, Y1, Y2
	ADDQ        $32, DX
	CMPQ        DX, CX
	JNE         square

	SUM8(Y2, X2, X1)
	VDIVSS       X15, X2, X2
	VADDSS       normArgs_epsilon(AX), X2, X2
	VSQRTSS      X2, X2, X2
	VMOVSS       one<>(SB), X1
	VDIVSS       X2, X1, X2
	VBROADCASTSS X2, Y2 // 1/√(variance+ε)
	MOVQ         normArgs_weight(AX), R8
	MOVQ         normArgs_bias(AX), R9
	XORQ         DX, DX

apply:
	VMOVUPS     (SI)(DX*1), Y1
	VSUBPS      Y0, Y1, Y1
	VMULPS      Y2, Y1, Y1
	VMOVUPS     (R8)(DX*1), Y3
	VFMADD213PS (R9)(DX*1), Y3, Y1
	VMOVUPS     Y1, (SI)(DX*1)
	ADDQ        $32, DX
	CMPQ        DX, CX
	JNE         apply
	VZEROUPPER
	RET
